package dev.freshet.job.counts;

import dev.freshet.core.codec.LayoutException;
import dev.freshet.core.counts.CountHistory;
import dev.freshet.core.counts.CountMoment;
import dev.freshet.core.counts.CountPlan;
import dev.freshet.core.counts.CountedEvent;
import dev.freshet.core.counts.DecayedCounts;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.labels.Task;
import dev.freshet.job.codec.CodecTypeInfo;
import dev.freshet.job.labels.FirstText;
import dev.freshet.job.labels.KeptCount;
import dev.freshet.job.labels.WaitingLayout;
import dev.freshet.job.metrics.CountMetrics;
import dev.freshet.job.metrics.MetricLabel;
import dev.freshet.job.metrics.MetricStep;
import dev.freshet.job.metrics.StepMetrics;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.metrics.Counter;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.TimerService;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.co.KeyedCoProcessFunction;
import org.apache.flink.util.Collector;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells impressions the counts of one field's value, under the key of that value.
 *
 * <p>An impression waits until the watermark passes its time, and is then told what was counted
 * strictly before: everything that is not late, nothing of its own and nothing later, the same in
 * every order of arrival. One that comes behind the watermark is told nothing, for what is counted
 * by then may be later than it; a late event counts from when it comes.
 */
public final class CountFunction
    extends KeyedCoProcessFunction<Long, Impression, CountedEvent, Impression>
    implements CheckpointedFunction {

  /** Beginning of the uids of these steps; the field's name follows. */
  public static final String UID = "counts-";

  /** Which counters have been counted: in each subtask the text of a {@link CountHistory}. */
  public static final ListStateDescriptor<String> COUNTERS =
      new ListStateDescriptor<>("counters", Types.STRING);

  /** Accumulator: impressions that came too late to be told a count; the field's name follows. */
  public static final String LATE = "freshet.counts.late.";

  /** Accumulator: the first of these. */
  public static final String LATE_SAMPLE = "freshet.counts.late-sample.";

  private static final Logger LOG = LoggerFactory.getLogger(CountFunction.class);

  private final CountPlan.By planned;
  private final List<Task> tasks;
  private final String fields;

  /** The planned counts, with those counters that state goes on with. */
  private transient CountPlan.By by;

  private transient CountHistory history;
  private transient ListState<String> historyState;
  private transient WaitingLayout layout;
  private transient ValueState<DecayedCounts> counts;
  private transient MapState<Long, CountMoment> moments;
  private transient MapState<String, Impression> waiting;
  private transient KeptCount values;
  private transient KeptCount waits;
  private transient Counter lateEvents;
  private transient Counter brought;
  private transient LongCounter late;
  private transient FirstText firstLate;

  /**
   * @param tasks whose events are counted, in order
   * @param fields layout of the features of impressions, see {@link
   *     dev.freshet.core.features.FeatureSchema#layout}
   */
  public CountFunction(CountPlan.By by, List<Task> tasks, String fields) {
    planned = by;
    this.tasks = List.copyOf(tasks);
    this.fields = fields;
  }

  /** Under which key an impression goes: that of its value, or any where it has none. */
  public static long key(CountPlan.By by, Impression impression) {
    long key = by.key((RawFeatures) impression.features());
    return key == CountPlan.NO_KEY ? impression.id().hashCode() : key;
  }

  @Override
  public void initializeState(FunctionInitializationContext context) throws Exception {
    values = new KeptCount("counted-values", context);
    waits = new KeptCount("waiting-impressions", context);
    layout = WaitingLayout.forCounts(tasks, fields);
    layout.initialize(context);
    historyState = context.getOperatorStateStore().getUnionListState(COUNTERS);
    CountHistory before = before();
    by = before.goOn(planned);
    history = before.then(planned);
    List<String> anew = before.anew(planned);
    if (!anew.isEmpty() && getRuntimeContext().getTaskInfo().getIndexOfThisSubtask() == 0) {
      LOG.warn("{}", startsAnew(anew));
    }
  }

  /** All subtasks have said the same; none in checkpoints of before they said anything. */
  private CountHistory before() throws Exception {
    Iterator<String> said = historyState.get().iterator();
    try {
      return said.hasNext() ? CountHistory.read(said.next()) : CountHistory.of(planned);
    } catch (LayoutException e) {
      throw new SuppressRestartsException(e);
    }
  }

  /** That the counts of these fields start at 0, in words. */
  public static String startsAnew(List<String> fields) {
    return "Counts that were not counted before start at 0: " + String.join(", ", fields);
  }

  @Override
  public void snapshotState(FunctionSnapshotContext context) throws Exception {
    values.snapshot();
    waits.snapshot();
    // Events that wait here are of impressions that the join of events still holds.
    layout.snapshot(waits.count());
    historyState.update(List.of(history.text()));
  }

  @Override
  public void open(OpenContext context) {
    var runtime = getRuntimeContext();
    counts = runtime.getState(new ValueStateDescriptor<>("counts", CodecTypeInfo.DECAYED_COUNTS));
    moments =
        runtime.getMapState(
            new MapStateDescriptor<>("moments", Types.LONG, CodecTypeInfo.COUNT_MOMENT));
    waiting =
        runtime.getMapState(
            new MapStateDescriptor<>("waiting", Types.STRING, CodecTypeInfo.IMPRESSION));
    StepMetrics metrics =
        StepMetrics.of(MetricStep.COUNT, runtime.getMetricGroup())
            .with(MetricLabel.FIELD, by.field());
    values.register(metrics, CountMetrics.COUNTED_VALUES);
    waits.register(metrics, CountMetrics.WAITING_IMPRESSIONS);
    lateEvents = metrics.counter(CountMetrics.LATE_EVENTS);
    brought = metrics.counter(CountMetrics.BROUGHT);
    late = new LongCounter();
    firstLate = new FirstText();
    runtime.addAccumulator(LATE + by.field(), late);
    runtime.addAccumulator(LATE_SAMPLE + by.field(), firstLate);
    metrics.gauge(CountMetrics.LATE_IMPRESSIONS, late::getLocalValuePrimitive);
  }

  @Override
  public void processElement1(Impression impression, Context context, Collector<Impression> out)
      throws Exception {
    RawFeatures raw = (RawFeatures) impression.features();
    long time = impression.eventTime();
    TimerService timers = context.timerService();
    if (by.brought(raw)) {
      brought.inc();
      out.collect(impression);
    } else if (by.key(raw) == CountPlan.NO_KEY) {
      out.collect(impression);
    } else if (time <= timers.currentWatermark()) {
      if (late.getLocalValuePrimitive() == 0) {
        LOG.warn("Impression {} is late, and is told no counts by {}", impression.id(), by.field());
        firstLate.add(impression.id());
      }
      late.add(1);
      out.collect(impression);
    } else {
      CountMoment moment = moment(time);
      waiting.put(place(time, moment.impressions()), impression);
      moments.put(time, moment.withImpression());
      timers.registerEventTimeTimer(time);
      waits.add(1);
    }
  }

  @Override
  public void processElement2(CountedEvent event, Context context, Collector<Impression> out)
      throws Exception {
    TimerService timers = context.timerService();
    if (event.time() > timers.currentWatermark()) {
      moments.put(event.time(), moment(event.time()).withEvent(event.event()));
      timers.registerEventTimeTimer(event.time());
      return;
    }
    lateEvents.inc();
    tellDue(timers, out);
    count(CountMoment.EMPTY.withEvent(event.event()), event.time(), counts.value(), timers);
  }

  @Override
  public void onTimer(long time, OnTimerContext context, Collector<Impression> out)
      throws Exception {
    DecayedCounts now = pass(time, context.timerService(), out);
    if (now != null && now.timer() <= time) {
      expire(now, time, context.timerService());
    }
  }

  /**
   * Timers of moments behind the watermark may not have come yet; what is late comes after them.
   */
  private void tellDue(TimerService timers, Collector<Impression> out) throws Exception {
    List<Long> due = new ArrayList<>();
    for (Long time : moments.keys()) {
      if (time <= timers.currentWatermark()) {
        due.add(time);
      }
    }
    Collections.sort(due);
    for (Long time : due) {
      pass(time, timers, out);
    }
  }

  /** Tells the impressions of this moment what was before it, and counts its events. */
  private @Nullable DecayedCounts pass(long time, TimerService timers, Collector<Impression> out)
      throws Exception {
    DecayedCounts before = counts.value();
    CountMoment moment = moments.get(time);
    if (moment == null) {
      return before;
    }
    DecayedCounts known = Objects.requireNonNullElseGet(before, DecayedCounts::new);
    for (int i = 0; i < moment.impressions(); i++) {
      String place = place(time, i);
      out.collect(by.told(waiting.get(place), known));
      waiting.remove(place);
    }
    waits.add(-moment.impressions());
    moments.remove(time);
    return count(moment, time, before, timers);
  }

  /** Counts a moment's events, if it has any; gives what is known then. */
  private @Nullable DecayedCounts count(
      CountMoment moment, long time, @Nullable DecayedCounts before, TimerService timers)
      throws Exception {
    if (moment.events().length == 0) {
      return before;
    }
    DecayedCounts now = Objects.requireNonNullElseGet(before, DecayedCounts::new);
    moment.add(by, now, time);
    if (now.timer() == DecayedCounts.NONE) {
      long over = now.over(by.counters());
      if (over == Long.MIN_VALUE) {
        return before; // Not what is counted by this field.
      }
      now.timer(over);
      timers.registerEventTimeTimer(over);
    }
    if (before == null) {
      values.add(1);
    }
    counts.update(now);
    return now;
  }

  /**
   * The one timer: everything was 0 by now when it was set, but more may have happened. The end of
   * all time, at a drain, says nothing of events: who goes on from there goes on before it, so that
   * counts are kept, and get a timer when more is counted.
   */
  private void expire(DecayedCounts now, long time, TimerService timers) throws Exception {
    if (timers.currentWatermark() == Long.MAX_VALUE) {
      now.timer(DecayedCounts.NONE);
      counts.update(now);
      return;
    }
    long over = now.over(by.counters());
    if (over <= time) {
      counts.clear();
      values.add(-1);
      return;
    }
    now.timer(over);
    timers.registerEventTimeTimer(over);
    counts.update(now);
  }

  private CountMoment moment(long time) throws Exception {
    return Objects.requireNonNullElse(moments.get(time), CountMoment.EMPTY);
  }

  private static String place(long time, int index) {
    return time + ":" + index;
  }

  long values() {
    return values.count();
  }

  long waits() {
    return waits.count();
  }

  long late() {
    return late.getLocalValuePrimitive();
  }
}
