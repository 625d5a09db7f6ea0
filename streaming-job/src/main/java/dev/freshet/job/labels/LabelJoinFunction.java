package dev.freshet.job.labels;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.events.Deadline;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.labels.DeadlineUse;
import dev.freshet.core.labels.DropReason;
import dev.freshet.core.labels.DroppedEvent;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.PendingImpression;
import dev.freshet.job.codec.CodecTypeInfo;
import dev.freshet.job.metrics.LabelMetrics;
import dev.freshet.job.metrics.MetricLabel;
import dev.freshet.job.metrics.MetricStep;
import dev.freshet.job.metrics.StepMetrics;
import java.io.IOException;
import java.util.EnumMap;
import java.util.HashMap;
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
import org.apache.flink.util.OutputTag;

/**
 * Carries {@link LabelJoin} through Flink: one value of state and at most one event-time timer for
 * each impression, and neither once its last label is final.
 */
public final class LabelJoinFunction
    extends KeyedCoProcessFunction<String, Impression, Feedback, LabeledExample>
    implements CheckpointedFunction {

  /** Uid of the step. */
  public static final String UID = "labels";

  /** Where events leave that have no part in any label. */
  public static final OutputTag<DroppedEvent> DROPPED =
      new OutputTag<>("dropped", CodecTypeInfo.DROPPED);

  /** Accumulator: events that counted although by their clocks they were before their parent. */
  public static final String SKEWED = "freshet.labels.skewed";

  /** Accumulator: the first of these, in words. */
  public static final String SKEWED_SAMPLE = "freshet.labels.skewed-sample";

  /**
   * Accumulators: impressions by what became of their deadlines; a task and the use come behind.
   */
  public static final String DEADLINES = "freshet.labels.deadlines.";

  /** Accumulators: the first of these impressions, in words. */
  public static final String DEADLINE_SAMPLES = "freshet.labels.deadline-samples.";

  private final LabelJoin join;
  private final String fields;

  private transient ValueState<PendingImpression> state;
  private transient Counter examples;
  private transient Map<DropReason, Counter> dropped;
  private transient DelayCounters delays;
  private transient StateGauges gauges;
  private transient SkewCounter skewed;
  private transient DeadlineCounters deadlines;
  private transient WaitingLayout layout;

  /**
   * @param fields layout of the features of impressions that wait, see {@link
   *     dev.freshet.core.features.FeatureSchema#layout}
   */
  public LabelJoinFunction(LabelJoin join, String fields) {
    this.join = join;
    this.fields = fields;
  }

  @Override
  public void initializeState(FunctionInitializationContext context) throws Exception {
    gauges = new StateGauges(context);
    layout = WaitingLayout.forLabels(join.tasks(), fields);
    layout.initialize(context);
    skewed = new SkewCounter(context);
    deadlines = new DeadlineCounters(join.tasks(), context);
  }

  @Override
  public void snapshotState(FunctionSnapshotContext context) throws Exception {
    gauges.snapshot();
    layout.snapshot(gauges.pending());
    skewed.snapshot();
    deadlines.snapshot();
  }

  @Override
  public void open(OpenContext context) {
    state =
        getRuntimeContext()
            .getState(new ValueStateDescriptor<>("pending-impression", CodecTypeInfo.PENDING));
    StepMetrics metrics = StepMetrics.of(MetricStep.LABELS, getRuntimeContext().getMetricGroup());
    examples = metrics.counter(LabelMetrics.EXAMPLES);
    gauges.register(metrics);
    skewed.register(getRuntimeContext(), metrics);
    deadlines.register(getRuntimeContext(), metrics);
    delays = new DelayCounters(join.tasks(), metrics);
    dropped = new EnumMap<>(DropReason.class);
    // Causes that share a label share a counter.
    Map<String, Counter> byLabel = new HashMap<>();
    for (DropReason reason : DropReason.values()) {
      dropped.put(
          reason,
          byLabel.computeIfAbsent(
              reason.label(),
              label -> metrics.with(MetricLabel.DROPPED, label).counter(LabelMetrics.DROPPED)));
    }
  }

  @Override
  public void processElement1(Impression impression, Context context, Collector<LabeledExample> out)
      throws IOException {
    PendingImpression pending = due(impression.id(), context, out);
    TimerService timers = context.timerService();
    if (join.onImpression(pending, impression, timers.currentWatermark(), output(context, out))) {
      keep(pending, join.nextMoment(pending), timers);
    }
  }

  @Override
  public void processElement2(Feedback feedback, Context context, Collector<LabeledExample> out)
      throws IOException {
    PendingImpression pending = due(feedback.impressionId(), context, out);
    TimerService timers = context.timerService();
    if (join.onFeedback(pending, feedback, timers.currentWatermark(), output(context, out))) {
      keep(pending, join.nextMoment(pending), timers);
    }
  }

  @Override
  public void onTimer(long time, OnTimerContext context, Collector<LabeledExample> out)
      throws IOException {
    PendingImpression pending = pending(context.getCurrentKey());
    pending.timer(PendingImpression.NONE);
    long next = join.onTimer(pending, time, output(context, out));
    keep(pending, true, next, context.timerService());
  }

  /**
   * State that is pending under this key, once all is done that was due by the watermark: its timer
   * may not have come yet, and events behind the watermark are to find what they would find after
   * it.
   */
  private PendingImpression due(String id, Context context, Collector<LabeledExample> out)
      throws IOException {
    PendingImpression pending = pending(id);
    TimerService timers = context.timerService();
    while (pending.timer() != PendingImpression.NONE
        && pending.timer() <= timers.currentWatermark()) {
      long next = join.onTimer(pending, pending.timer(), output(context, out));
      keep(pending, next, timers);
      if (pending.finished()) {
        return pending(id);
      }
    }
    return pending;
  }

  private PendingImpression pending(String id) throws IOException {
    PendingImpression pending = state.value();
    return pending == null ? new PendingImpression(join.tasks().size()) : pending.named(id);
  }

  private void keep(PendingImpression pending, long next, TimerService timers) throws IOException {
    // A key has a timer from its first event to its last moment, so that tells what state there is.
    boolean wasKept = pending.timer() != PendingImpression.NONE;
    keep(pending, wasKept, next, timers);
  }

  private void keep(PendingImpression pending, boolean wasKept, long next, TimerService timers)
      throws IOException {
    if (next != pending.timer()) {
      if (pending.timer() != PendingImpression.NONE) {
        timers.deleteEventTimeTimer(pending.timer());
      }
      if (next != PendingImpression.NONE) {
        timers.registerEventTimeTimer(next);
      }
      pending.timer(next);
    }
    if (pending.finished()) {
      state.clear();
      if (wasKept) {
        gauges.cleared();
      }
    } else {
      state.update(pending);
      gauges.wrote(pending, !wasKept);
    }
  }

  StateGauges gauges() {
    return gauges;
  }

  SkewCounter skewCounter() {
    return skewed;
  }

  DeadlineCounters deadlines() {
    return deadlines;
  }

  private LabelJoin.Output output(Context context, Collector<LabeledExample> out) {
    return new LabelJoin.Output() {
      @Override
      public void example(LabeledExample example) {
        examples.inc();
        delays.count(example);
        out.collect(example);
      }

      @Override
      public void dropped(DroppedEvent event) {
        requireNonNull(dropped.get(event.reason())).inc();
        delays.dropped(event);
        context.output(DROPPED, event);
      }

      @Override
      public void skewed(Feedback event, long early) {
        skewed.count(join.tasks().get(event.task()), event, early);
      }

      @Override
      public void deadline(int task, DeadlineUse use, Impression impression, Deadline said) {
        deadlines.count(task, use, impression, said);
      }
    };
  }
}
