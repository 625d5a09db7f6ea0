package dev.freshet.benchmarks.join;

import dev.freshet.benchmarks.JoinImpressions;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.pipeline.Pipeline;
import java.time.Duration;
import java.util.Locale;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.co.KeyedCoProcessFunction;
import org.apache.flink.streaming.api.functions.co.ProcessJoinFunction;
import org.apache.flink.util.Collector;

/** What joins the events; each emits something small and countable. */
enum Contender {

  /** Keys both streams and joins nothing: what events cost without a join. */
  FLOOR(1) {
    @Override
    DataStream<Boolean> join(JoinEvents events, Pipeline pipeline) {
      return keyed(events, new Floor());
    }

    @Override
    long expected(long impressions) {
      return impressions + JoinEvents.allClicks(impressions);
    }
  },

  /** Flink's own, which tells pairs: that nothing was clicked it cannot tell. */
  INTERVAL_JOIN(1) {
    @Override
    DataStream<Boolean> join(JoinEvents events, Pipeline pipeline) {
      return events
          .shown()
          .keyBy(Impression::id)
          .intervalJoin(events.clicks().keyBy(Feedback::impressionId))
          .between(Duration.ZERO, JoinEvents.WINDOW)
          .process(new Pairs());
    }

    @Override
    long expected(long impressions) {
      return JoinEvents.allClicks(impressions);
    }
  },

  /**
   * The least that tells clicked from not: one state and one timer, no question about the input.
   */
  LEFT_JOIN(1) {
    @Override
    DataStream<Boolean> join(JoinEvents events, Pipeline pipeline) {
      return keyed(events, new LeftJoinFunction());
    }
  },

  /** The job's, with the click alone. */
  FRESHET(1) {
    @Override
    DataStream<Boolean> join(JoinEvents events, Pipeline pipeline) {
      return labels(events, pipeline);
    }
  },

  /** The job's, with click, purchase and revenue. */
  FRESHET_3_TASKS(3) {
    @Override
    DataStream<Boolean> join(JoinEvents events, Pipeline pipeline) {
      return labels(events, pipeline);
    }
  };

  private final int tasks;

  Contender(int tasks) {
    this.tasks = tasks;
  }

  int tasks() {
    return tasks;
  }

  abstract DataStream<Boolean> join(JoinEvents events, Pipeline pipeline);

  /** How much it emits, all windows closed. */
  long expected(long impressions) {
    return tasks * impressions;
  }

  private static DataStream<Boolean> keyed(
      JoinEvents events, KeyedCoProcessFunction<String, Impression, Feedback, Boolean> function) {
    return events
        .shown()
        .keyBy(Impression::id)
        .connect(events.clicks().keyBy(Feedback::impressionId))
        .process(function);
  }

  private static DataStream<Boolean> labels(JoinEvents events, Pipeline pipeline) {
    return JoinImpressions.labelled(events.shown(), events.clicks(), pipeline).map(example -> true);
  }

  private static final class Floor
      extends KeyedCoProcessFunction<String, Impression, Feedback, Boolean> {

    @Override
    public void processElement1(Impression impression, Context context, Collector<Boolean> out) {
      out.collect(false);
    }

    @Override
    public void processElement2(Feedback click, Context context, Collector<Boolean> out) {
      out.collect(true);
    }
  }

  private static final class Pairs extends ProcessJoinFunction<Impression, Feedback, Boolean> {

    @Override
    public void processElement(
        Impression impression, Feedback click, Context context, Collector<Boolean> out) {
      out.collect(true);
    }
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
