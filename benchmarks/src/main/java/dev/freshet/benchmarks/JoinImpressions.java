package dev.freshet.benchmarks;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.job.codec.CodecTypeInfo;
import dev.freshet.job.labels.LabelJoinFunction;
import java.util.SplittableRandom;
import java.util.UUID;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;

/**
 * Impressions of the benchmarks of the label join: eight fields with nine values, ids are UUIDs.
 */
public final class JoinImpressions {

  /** The end of a pipeline file, behind its tasks. */
  public static final String FIELDS =
      """
      features:
        - {name: user, kind: categorical}
        - {name: item, kind: categorical}
        - {name: segment, kind: categorical}
        - {name: category, kind: categorical}
        - {name: hour, kind: categorical}
        - {name: tags, kind: categorical, many: true}
        - {name: price, kind: numeric, buckets: 24, from: 1, to: 400, scale: log}
        - {name: age, kind: numeric, edges: [18, 25, 35, 50, 65]}
      models: [{name: main, kind: shared-bottom}]
      """;

  /** Event time of the first, as far as they are told when they come. */
  public static final long START = 1_767_225_600_000L;

  private JoinImpressions() {}

  /** Id of the nth. */
  public static String id(long n) {
    return new UUID(n * 0x9E3779B97F4A7C15L, n ^ 0x5851F42D4C957F2DL).toString();
  }

  /** The nth, always the same. */
  public static Impression of(long n, long time) {
    SplittableRandom random = new SplittableRandom(n);
    String[][] categories = {
      {"user-" + random.nextInt(1_000_000)},
      {"item-" + random.nextInt(100_000)},
      {"segment " + random.nextInt(12)},
      {"category " + random.nextInt(16)},
      {Integer.toString(random.nextInt(24))},
      {"tag" + random.nextInt(20), "tag" + random.nextInt(20)}
    };
    double[] numbers = {1 + 300 * random.nextDouble(), 18 + random.nextInt(60)};
    return new Impression(id(n), time, new RawFeatures(categories, numbers), null);
  }

  /** The job's join. */
  public static SingleOutputStreamOperator<LabeledExample> labelled(
      DataStream<Impression> shown, DataStream<Feedback> clicks, Pipeline pipeline) {
    return shown
        .keyBy(Impression::id)
        .connect(clicks.keyBy(Feedback::impressionId))
        .process(
            new LabelJoinFunction(
                new LabelJoin(pipeline.tasks(), pipeline.labels(), false),
                pipeline.schema().layout()))
        .returns(CodecTypeInfo.LABELED);
  }
}
