package dev.freshet.benchmarks.join;

import dev.freshet.benchmarks.JoinImpressions;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.job.codec.CodecTypeInfo;
import dev.freshet.job.features.CompactFunction;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.connector.source.lib.NumberSequenceSource;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/**
 * An impression a millisecond, of which each eighth is clicked five seconds later: made as they are
 * read, by one source, so that both kinds come in the order of their times. Ids are UUIDs; eight
 * fields with nine values, compact as they are in the job.
 *
 * @param shown keyed by nothing yet
 * @param clicks of the first task
 */
record JoinEvents(DataStream<Impression> shown, DataStream<Feedback> clicks) {

  static final int CLICK_EVERY = 8;

  /** Of every window, so that as many impressions wait as milliseconds are in it. */
  static final Duration WINDOW = Duration.ofSeconds(50);

  /** How long a source that is not in order has to be waited for. */
  static final Duration DISORDER = Duration.ofSeconds(10);

  private static final long CLICK_AFTER = 5000;

  private static final OutputTag<Feedback> CLICKS =
      new OutputTag<>("clicks", CodecTypeInfo.FEEDBACK);

  /** The fields, and so many tasks. */
  static Pipeline pipeline(int tasks) {
    return PipelineFile.parse(text(tasks), "benchmark");
  }

  static String text(int tasks) {
    StringBuilder file = new StringBuilder("pipeline: join\ntasks:\n");
    long seconds = WINDOW.toSeconds();
    String[] all = {
      "  - {name: click, kind: binary, window: %ds}%n".formatted(tasks > 1 ? 10 : seconds),
      "  - {name: purchase, kind: binary, window: 40s}\n",
      "  - {name: revenue, kind: continuous, window: %ds}%n".formatted(seconds)
    };
    for (int task = 0; task < tasks; task++) {
      file.append(all[task]);
    }
    file.append(JoinImpressions.FIELDS);
    return file.toString();
  }

  static JoinEvents of(StreamExecutionEnvironment env, Pipeline pipeline, long impressions) {
    SingleOutputStreamOperator<Impression> shown =
        env.fromSource(
                new NumberSequenceSource(0, impressions - 1),
                WatermarkStrategy.<Long>forMonotonousTimestamps()
                    .withTimestampAssigner((n, unknown) -> time(n)),
                "numbers")
            .process(new Events(impressions))
            .returns(CodecTypeInfo.IMPRESSION);
    return new JoinEvents(
        shown.map(new CompactFunction(pipeline.schema())).returns(CodecTypeInfo.IMPRESSION),
        shown.getSideOutput(CLICKS));
  }

  /** True if there is a click when the nth impression is shown. */
  static boolean clicks(long n) {
    return n >= CLICK_AFTER && (n - CLICK_AFTER) % CLICK_EVERY == 0;
  }

  /** What is clicked then. */
  static String clicked(long n) {
    return JoinImpressions.id(n - CLICK_AFTER);
  }

  /** All clicks: of the last impressions they would come behind the end. */
  static long allClicks(long impressions) {
    return Math.max(0, (impressions - CLICK_AFTER + CLICK_EVERY - 1) / CLICK_EVERY);
  }

  private static final class Events extends ProcessFunction<Long, Impression> {

    private final long impressions;

    Events(long impressions) {
      this.impressions = impressions;
    }

    @Override
    public void processElement(Long n, Context context, Collector<Impression> out) {
      Stretch.passed(n, impressions);
      out.collect(impression(n));
      if (clicks(n)) {
        context.output(CLICKS, new Feedback(clicked(n), "c", 0, time(n), 1));
      }
    }
  }

  static Impression impression(long n) {
    return JoinImpressions.of(n, time(n));
  }

  private static long time(long n) {
    return JoinImpressions.START + n;
  }
}
