package dev.freshet.job.counts;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.counts.CountJoin;
import dev.freshet.core.counts.CountedEvent;
import dev.freshet.core.counts.CountedImpression;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.job.codec.CodecTypeInfo;
import dev.freshet.job.labels.KeptCount;
import dev.freshet.job.labels.WaitingLayout;
import dev.freshet.job.metrics.CountMetrics;
import dev.freshet.job.metrics.MetricLabel;
import dev.freshet.job.metrics.MetricStep;
import dev.freshet.job.metrics.StepMetrics;
import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.metrics.Counter;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.TimerService;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.co.KeyedCoProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Carries {@link CountJoin} through Flink: under each impression's id one small value and one
 * event-time timer, and neither once nothing of it can count any more.
 */
public final class CountJoinFunction
    extends KeyedCoProcessFunction<String, Impression, Feedback, CountedEvent>
    implements CheckpointedFunction {

  /** Uid of the step. */
  public static final String UID = "counted-events";

  private final CountJoin join;

  private transient ValueState<CountedImpression> state;
  private transient KeptCount kept;
  private transient WaitingLayout layout;
  private transient Counter counted;
  private transient Map<CountJoin.Missed, Counter> missed;

  public CountJoinFunction(CountJoin join) {
    this.join = join;
  }

  @Override
  public void initializeState(FunctionInitializationContext context) throws Exception {
    kept = new KeptCount("counted-impressions", context);
    layout = WaitingLayout.forFeedback(join.tasks(), join.plan().fields());
    layout.initialize(context);
  }

  @Override
  public void snapshotState(FunctionSnapshotContext context) throws Exception {
    kept.snapshot();
    layout.snapshot(kept.count());
  }

  @Override
  public void open(OpenContext context) {
    state =
        getRuntimeContext()
            .getState(
                new ValueStateDescriptor<>("counted-impression", CodecTypeInfo.COUNTED_IMPRESSION));
    StepMetrics metrics =
        StepMetrics.of(MetricStep.COUNT_JOIN, getRuntimeContext().getMetricGroup());
    counted = metrics.counter(CountMetrics.COUNTED);
    kept.register(metrics, CountMetrics.COUNTED_IMPRESSIONS);
    missed = new EnumMap<>(CountJoin.Missed.class);
    for (CountJoin.Missed why : CountJoin.Missed.values()) {
      missed.put(why, metrics.with(MetricLabel.MISSED, why.label()).counter(CountMetrics.MISSED));
    }
  }

  @Override
  public void processElement1(Impression impression, Context context, Collector<CountedEvent> out)
      throws IOException {
    process(
        context.timerService(),
        out,
        (now, watermark) -> join.onImpression(now, impression, watermark, output(out)));
  }

  @Override
  public void processElement2(Feedback feedback, Context context, Collector<CountedEvent> out)
      throws IOException {
    process(
        context.timerService(),
        out,
        (now, watermark) -> join.onFeedback(now, feedback, watermark, output(out)));
  }

  /** Takes an event; true if it changed what is kept. */
  private interface Change {
    boolean of(CountedImpression kept, long watermark);
  }

  private void process(TimerService timers, Collector<CountedEvent> out, Change change)
      throws IOException {
    CountedImpression before = state.value();
    if (before != null && before.until() <= timers.currentWatermark()) {
      // Its timer has not come yet; what is late comes after it.
      timers.deleteEventTimeTimer(before.until());
      forget(before, out);
      before = null;
    }
    CountedImpression now = before == null ? new CountedImpression() : before;
    long until = now.until();
    if (change.of(now, timers.currentWatermark())) {
      keep(now, before == null, until, timers);
    }
  }

  private void keep(CountedImpression now, boolean isNew, long timer, TimerService timers)
      throws IOException {
    if (isNew) {
      kept.add(1);
    } else if (now.until() != timer) {
      timers.deleteEventTimeTimer(timer);
    }
    if (isNew || now.until() != timer) {
      timers.registerEventTimeTimer(now.until());
    }
    state.update(now);
  }

  @Override
  public void onTimer(long time, OnTimerContext context, Collector<CountedEvent> out)
      throws IOException {
    forget(state.value(), out);
  }

  private void forget(CountedImpression before, Collector<CountedEvent> out) {
    join.onTimer(before, output(out));
    state.clear();
    kept.add(-1);
  }

  private CountJoin.Output output(Collector<CountedEvent> out) {
    return new CountJoin.Output() {
      @Override
      public void counted(CountedEvent event) {
        counted.inc();
        out.collect(event);
      }

      @Override
      public void missed(CountJoin.Missed why) {
        requireNonNull(missed.get(why)).inc();
      }
    };
  }

  long kept() {
    return kept.count();
  }
}
