package dev.freshet.benchmarks.join;

import dev.freshet.benchmarks.JoinImpressions;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.FeedbackCodec;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.ImpressionCodec;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.job.codec.CodecTypeInfo;
import dev.freshet.job.events.EventWatermarks;
import dev.freshet.job.events.KafkaSources;
import dev.freshet.job.events.MessageParser;
import dev.freshet.job.events.ReleasingSourceFactory;
import dev.freshet.job.events.SplitOperator;
import dev.freshet.job.features.CompactFunction;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/** Joins that read {@link KafkaEvents}. */
final class KafkaJoin {

  private static final LongAdder TOLD = new LongAdder();
  private static volatile CountDownLatch read = new CountDownLatch(0);

  private KafkaJoin() {}

  /**
   * What a run took.
   *
   * @param cpu of the process that joins, without the broker
   * @param told pairs and lone impressions
   */
  record Seconds(double wall, double cpu, long told) {}

  /** What the job does up to its labels: reads, parses, makes compact, joins. */
  static Seconds freshet(StreamExecutionEnvironment env, String bootstrap, long impressions)
      throws Exception {
    Pipeline pipeline = KafkaEvents.pipeline(bootstrap);
    TOLD.reset();
    read = new CountDownLatch(1);
    long[] number = {0};
    DataStream<Impression> shown =
        env.fromSource(
                KafkaSources.impressions(pipeline),
                EventWatermarks.strategy(pipeline.labels()),
                "impressions",
                MessageParser.typeInfo(new ImpressionCodec()))
            .transform("shown", CodecTypeInfo.IMPRESSION, new SplitOperator<>())
            .map(new CompactFunction(pipeline.schema()))
            .returns(CodecTypeInfo.IMPRESSION)
            .map(
                impression -> {
                  if (Stretch.passed(number[0]++, impressions)) {
                    read.countDown();
                  }
                  return impression;
                })
            .returns(CodecTypeInfo.IMPRESSION);
    DataStream<Feedback> clicks =
        env.fromSource(
                KafkaSources.feedback(pipeline),
                EventWatermarks.strategy(pipeline.labels()),
                "feedback",
                MessageParser.typeInfo(new FeedbackCodec()))
            .transform("clicks", CodecTypeInfo.FEEDBACK, new SplitOperator<>());
    JoinImpressions.labelled(shown, clicks, pipeline)
        .map(
            example -> {
              TOLD.increment();
              return true;
            })
        .sinkTo(new DiscardingSink<>());
    JobClient job = env.executeAsync(ReleasingSourceFactory.graph(env, "join"));
    read.await();
    job.cancel().get();
    return new Seconds(Stretch.wallSeconds(), Stretch.processorSeconds(), TOLD.sum());
  }

  /**
   * {@link StreamsJoin}.
   *
   * @param store rocksdb or memory
   */
  static Seconds streams(String store, Path folder, String bootstrap, long impressions)
      throws IOException, InterruptedException {
    // Two RocksDBs in one process crash it.
    String own =
        Arrays.stream(System.getProperty("java.class.path").split(":"))
            .filter(jar -> !jar.contains("frocksdbjni"))
            .collect(Collectors.joining(":"));
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + Runtime.getRuntime().maxMemory() / 2,
                "-cp",
                own + ":" + System.getProperty("freshet.streams.class.path", ""),
                StreamsJoin.class.getName()));
    command.addAll(List.of(bootstrap, store, folder.toString(), Long.toString(impressions)));
    command.add(Long.toString(JoinEvents.WINDOW.toMillis()));
    command.add(Long.toString(JoinEvents.DISORDER.toMillis()));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException("Kafka Streams ended with exit code " + process.exitValue());
    }
    String[] figures = said.strip().split(" ");
    return new Seconds(
        Double.parseDouble(figures[0]), Double.parseDouble(figures[1]), Long.parseLong(figures[2]));
  }
}
