package dev.freshet.job.labels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.events.Deadline;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.labels.DropReason;
import dev.freshet.core.labels.DroppedEvent;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.job.codec.CodecTypeInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.streaming.api.operators.co.KeyedCoProcessOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.KeyedTwoInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The join inside Flink's own operator. Every test ends with no state and no timer. */
class LabelJoinFunctionTest {

  private static final long SHOWN = 1_767_225_600_000L;
  private static final long MINUTE = 60_000;
  private static final long HORIZON = SHOWN + 130 * MINUTE;

  private KeyedTwoInputStreamOperatorTestHarness<String, Impression, Feedback, LabeledExample>
      harness;
  private final List<LabeledExample> examples = new ArrayList<>();
  private final List<DroppedEvent> dropped = new ArrayList<>();

  private Pipeline pipeline = TestingPipelines.shop("{orphan-wait", "{max-events: 12, orphan-wait");
  private LabelJoinFunction function;
  private boolean rocks;

  @BeforeEach
  void open() throws Exception {
    harness = harness(rocks);
    harness.open();
  }

  private KeyedTwoInputStreamOperatorTestHarness<String, Impression, Feedback, LabeledExample>
      harness(boolean rocks) throws Exception {
    function =
        new LabelJoinFunction(new LabelJoin(pipeline.tasks(), pipeline.labels(), false), "fields");
    var harness =
        new KeyedTwoInputStreamOperatorTestHarness<>(
            new KeyedCoProcessOperator<>(function),
            Impression::id,
            Feedback::impressionId,
            Types.STRING);
    if (rocks) {
      harness.setStateBackend(new EmbeddedRocksDBStateBackend());
    }
    harness.setup(CodecTypeInfo.LABELED.createSerializer(null));
    return harness;
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    watermark(HORIZON + 1_000 * MINUTE);
    if (!rocks) { // RocksDB's entries cannot be counted from here
      assertThat(harness.numKeyedStateEntries()).as("state").isZero();
    }
    assertThat(harness.numEventTimeTimers()).as("timers").isZero();
    assertThat(function.gauges().pending()).as("counted").isZero();
    harness.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void joinsInEitherOrder(boolean impressionFirst) throws Exception {
    if (impressionFirst) {
      show();
    }
    feedback("c", 0, 1, 1);
    feedback("p", 1, 5, 1);
    feedback("r", 2, 6, 12.5);
    if (!impressionFirst) {
      show();
    }
    watermark(HORIZON);
    assertThat(finals()).containsExactly(1.0, 1.0, 12.5);
    assertThat(dropped).isEmpty();
  }

  @Test
  void eachTaskIsToldAtItsOwnHorizon() throws Exception {
    show();
    feedback("c", 0, 1, 1);
    watermark(SHOWN + 10 * MINUTE - 1);
    assertThat(examples).isEmpty();
    watermark(SHOWN + 10 * MINUTE);
    assertThat(tags()).containsExactly("final.none.none");
    watermark(SHOWN + 70 * MINUTE);
    assertThat(tags()).containsExactly("final.none.none", "none.final.none");
    watermark(HORIZON);
    assertThat(tags()).containsExactly("final.none.none", "none.final.none", "none.none.final");
    assertThat(finals()).containsExactly(1.0, 0.0, 0.0);
  }

  @Test
  void theWindowsEndCountsAndWhatIsPastItDoesNot() throws Exception {
    show();
    feedback("c", 0, 10, 1);
    harness.processElement2(new StreamRecord<>(event("p", 1, SHOWN + 70 * MINUTE, 1)));
    harness.processElement2(new StreamRecord<>(event("late", 1, SHOWN + 70 * MINUTE + 1, 1)));
    harness.processElement2(new StreamRecord<>(event("past", 2, SHOWN + 130 * MINUTE + 1, 9)));
    harness.processElement2(new StreamRecord<>(event("r", 2, SHOWN + 130 * MINUTE, 7)));
    watermark(HORIZON);
    assertThat(finals()).containsExactly(1.0, 1.0, 7.0);
    assertThat(reasons())
        .as("the last window's end is the end of the impression")
        .containsExactly(DropReason.LATE, DropReason.AFTER_END);
  }

  @Test
  void repeatsCountOnce() throws Exception {
    show();
    show();
    for (int i = 0; i < 3; i++) {
      feedback("c", 0, 1, 1);
      feedback("p", 1, 2, 1);
      feedback("r", 2, 3, 5);
    }
    watermark(HORIZON);
    assertThat(finals()).containsExactly(1.0, 1.0, 5.0);
    assertThat(reasons()).hasSize(7).containsOnly(DropReason.DUPLICATE);
  }

  @Test
  void aRefundIsSubtractedAndASecondPurchaseAdded() throws Exception {
    show();
    feedback("c", 0, 1, 1);
    feedback("p", 1, 2, 1);
    feedback("r", 2, 2, 10);
    feedback("p2", 1, 20, 1);
    feedback("r2", 2, 21, 4);
    feedback("refund", 2, 40, -10);
    watermark(HORIZON);
    assertThat(finals()).containsExactly(1.0, 1.0, 4.0);
  }

  @Test
  void feedbackWithoutImpressionIsOrphanedAfterItsOwnLimit() throws Exception {
    feedback("c", 0, 1, 1);
    watermark(SHOWN + 6 * MINUTE - 1);
    assertThat(dropped).isEmpty();
    watermark(SHOWN + 6 * MINUTE);
    assertThat(reasons()).containsExactly(DropReason.ORPHANED);
    assertThat(examples).isEmpty();
  }

  @Test
  void aPurchaseWithoutClickIsOrphaned() throws Exception {
    show();
    feedback("p", 1, 5, 1);
    watermark(HORIZON);
    assertThat(finals()).containsExactly(0.0, 0.0, 0.0);
    assertThat(reasons()).containsExactly(DropReason.NO_PARENT);
    assertThat(DropReason.NO_PARENT.label()).isEqualTo("orphaned");
  }

  @Test
  void whatIsMovedToItsParentIsCountedAcrossARestore() throws Exception {
    show();
    harness.processElement2(new StreamRecord<>(event("c", 0, SHOWN - 3000, 1)));
    harness.processElement2(new StreamRecord<>(event("p", 1, SHOWN + 2000, 1)));
    harness.processElement2(new StreamRecord<>(event("p2", 1, SHOWN - 1, 1)));
    harness.processElement2(new StreamRecord<>(event("early", 0, SHOWN - 6000, 1)));
    assertThat(function.skewCounter().count()).as("before the end nothing is certain").isZero();
    watermark(HORIZON);
    assertThat(function.skewCounter().count()).as("c and p2").isEqualTo(2);
    assertThat(reasons()).containsExactly(DropReason.BEFORE_PARENT);
    assertThat(function.skewCounter().sample())
        .isEqualTo("task click, impression i, event c: 3s before what it follows from");
    OperatorSubtaskState snapshot = harness.snapshot(1, 1);
    harness.close();
    harness = harness(rocks);
    harness.initializeState(snapshot);
    harness.open();
    assertThat(function.skewCounter().count()).isEqualTo(2);
    assertThat(
            harness
                .getOperator()
                .getRuntimeContext()
                .getAccumulator(LabelJoinFunction.SKEWED_SAMPLE)
                .getLocalValue())
        .isEqualTo("task click, impression i, event c: 3s before what it follows from");
    assertThat(
            harness
                .getOperator()
                .getRuntimeContext()
                .getAccumulator(LabelJoinFunction.SKEWED)
                .getLocalValue())
        .isEqualTo(2L);
    show();
    harness.processElement2(new StreamRecord<>(event("c", 0, SHOWN - 1, 1)));
    watermark(HORIZON);
    assertThat(function.skewCounter().count()).isEqualTo(3);
  }

  @Test
  void whatComesAfterItsLabelWasToldIsLate() throws Exception {
    show();
    watermark(SHOWN + 10 * MINUTE);
    feedback("c", 0, 3, 1);
    watermark(HORIZON);
    assertThat(finals()).containsExactly(0.0, 0.0, 0.0);
    assertThat(reasons()).containsExactly(DropReason.LATE);
    show();
    assertThat(reasons()).as("the impression again, long after").hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void goesOnAfterARestoreInTheMiddle(boolean onRocks) throws Exception {
    harness.close();
    rocks = onRocks;
    open();
    show();
    feedback("c", 0, 1, 1);
    feedback("p", 1, 5, 1);
    watermark(SHOWN + 10 * MINUTE);
    OperatorSubtaskState snapshot = harness.snapshot(1, 1);
    harness.close();
    harness = harness(rocks);
    harness.initializeState(snapshot);
    harness.open();
    assertThat(function.gauges().pending()).isEqualTo(1);
    feedback("c", 0, 1, 1);
    feedback("r", 2, 6, 3);
    watermark(HORIZON);
    assertThat(finals()).containsExactly(1.0, 1.0, 3.0);
    assertThat(tags()).as("nothing is told twice").doesNotHaveDuplicates().hasSize(3);
    assertThat(reasons()).as("the repeated click").containsExactly(DropReason.DUPLICATE);
  }

  /** The impression's own deadlines survive a restore: in its state, and counted. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void deadlinesGoOnAfterARestore(boolean onRocks) throws Exception {
    harness.close();
    rocks = onRocks;
    pipeline =
        TestingPipelines.shop(
            "click, window: 1h}",
            "click, window: 1h, deadline: {at: end}}\n"
                + "  - {name: refund, kind: binary, after: click, window: 1h,"
                + " deadline: {after: n, unit: 1m}}");
    open();
    show(Deadline.at(SHOWN + 30 * MINUTE), Deadline.after(20 * MINUTE));
    feedback("c", 0, 1, 1);
    watermark(SHOWN + 10 * MINUTE);
    assertThat(tags()).containsExactly("final.none.none.none");
    OperatorSubtaskState snapshot = harness.snapshot(1, 1);
    harness.close();
    harness = harness(rocks);
    harness.initializeState(snapshot);
    harness.open();
    feedback("p", 1, 30, 1);
    feedback("p-late", 1, 31, 1);
    feedback("f-late", 2, 22, 1);
    watermark(SHOWN + 30 * MINUTE - 1);
    assertThat(tags()).as("of refund and purchase none is told yet").hasSize(1);
    watermark(SHOWN + 30 * MINUTE);
    assertThat(tags()).containsExactly("final.none.none.none", "none.final.final.none");
    assertThat(examples.get(1).labels()[1].value()).isEqualTo(1);
    assertThat(examples.get(1).labels()[2].value()).isZero();
    assertThat(examples.get(1).impression().deadline(1))
        .isEqualTo(Deadline.at(SHOWN + 30 * MINUTE));
    long later = SHOWN + 30 * MINUTE;
    show("i2", later, Deadline.at(later - 1), Deadline.invalid("n is 'x'"));
    show("i3", later, Deadline.ABSENT, Deadline.after(90 * MINUTE));
    Map<String, Long> counts =
        Map.of(
            "purchase.used", 1L,
            "refund.used", 1L,
            "purchase.past", 1L,
            "refund.invalid", 1L,
            "purchase.absent", 1L,
            "refund.beyond", 1L);
    assertThat(function.deadlines().counts()).isEqualTo(counts);
    assertThat(function.deadlines().samples())
        .containsEntry("refund.invalid", "impression i2 of 2026-01-01T00:30:00Z: n is 'x'")
        .containsEntry("purchase.absent", "impression i3 of 2026-01-01T00:30:00Z: it has no end");
    var accumulators = harness.getOperator().getRuntimeContext();
    assertThat(
            accumulators
                .getAccumulator(LabelJoinFunction.DEADLINES + "purchase.used")
                .getLocalValue())
        .isEqualTo(1L);
    assertThat(
            accumulators
                .getAccumulator(LabelJoinFunction.DEADLINE_SAMPLES + "purchase.past")
                .getLocalValue()
                .toString())
        .contains("end is 2026-01-01T00:29:59.999Z, which is not after it");
    watermark(SHOWN + 1_000 * MINUTE);
    assertThat(reasons()).containsExactly(DropReason.LATE, DropReason.LATE);
  }

  @Test
  void anImpressionHoldsAsManyEventsAsItMay() throws Exception {
    show();
    feedback("c", 0, 1, 1);
    feedback("p", 1, 2, 1);
    for (int i = 0; i < 20; i++) {
      feedback("r" + i, 2, 3, 1);
    }
    watermark(HORIZON);
    assertThat(finals()).containsExactly(1.0, 1.0, 12.0);
    assertThat(reasons()).hasSize(8).containsOnly(DropReason.TOO_MANY);
  }

  @Test
  void aRobotKeepsNoOtherTasksEventsOut() throws Exception {
    show();
    for (int i = 0; i < 30_000; i++) {
      feedback("c" + i, 0, 1, 1);
    }
    feedback("p", 1, 5, 1);
    feedback("r", 2, 6, 12.5);
    assertThat(function.gauges().bytes()).as("bytes of state").isBetween(1.0, 1000.0);
    watermark(HORIZON);
    assertThat(finals()).containsExactly(1.0, 1.0, 12.5);
    assertThat(reasons()).hasSize(30_000 - 12).containsOnly(DropReason.TOO_MANY);
  }

  @Test
  void whatIsDroppedLeavesNoStateBehind() throws Exception {
    watermark(HORIZON);
    feedback("c", 0, 1, 1);
    show();
    assertThat(reasons()).containsExactly(DropReason.LATE, DropReason.LATE);
    assertThat(function.gauges().pending()).isZero();
    assertThat(harness.numEventTimeTimers()).isZero();
  }

  @Test
  void tellsHowManyWaitAndHowLargeTheyAre() throws Exception {
    feedback("c", 0, 1, 1);
    assertThat(function.gauges().pending()).isEqualTo(1);
    show();
    assertThat(function.gauges().pending()).isEqualTo(1);
    assertThat(function.gauges().bytes()).isBetween(20.0, 60.0);
  }

  private void show() throws Exception {
    show("i", SHOWN);
  }

  private void show(Deadline purchase, Deadline refund) throws Exception {
    show("i", SHOWN, purchase, refund);
  }

  /** Deadlines are those of the second and the third task. */
  private void show(String id, long shown, Deadline... deadlines) throws Exception {
    RawFeatures features = new RawFeatures(new String[][] {{"u"}}, new double[0]);
    List<Deadline> all = new ArrayList<>(List.of(deadlines));
    if (!all.isEmpty()) {
      all.add(0, Deadline.ABSENT);
      all.add(Deadline.ABSENT);
    }
    harness.processElement1(
        new StreamRecord<>(new Impression(id, shown, features, null, all), shown));
    collect();
  }

  private void feedback(String id, int task, long minute, double value) throws Exception {
    Feedback event = event(id, task, SHOWN + minute * MINUTE, value);
    harness.processElement2(new StreamRecord<>(event, event.eventTime()));
    collect();
  }

  private static Feedback event(String id, int task, long time, double value) {
    return new Feedback("i", id, task, time, value);
  }

  private void watermark(long time) throws Exception {
    harness.processBothWatermarks(new Watermark(time));
    collect();
  }

  private void collect() {
    Queue<Object> output = harness.getOutput();
    for (Object out : output) {
      if (out instanceof StreamRecord<?> record) {
        examples.add((LabeledExample) record.getValue());
      }
    }
    output.clear();
    var side = harness.getSideOutput(LabelJoinFunction.DROPPED);
    if (side != null) {
      side.forEach(record -> dropped.add(record.getValue()));
      side.clear();
    }
  }

  private List<String> tags() {
    return examples.stream().map(LabeledExample::tag).toList();
  }

  private List<DropReason> reasons() {
    return dropped.stream().map(DroppedEvent::reason).toList();
  }

  /** The final label of each task. */
  private List<Double> finals() {
    List<Double> values = new ArrayList<>();
    for (int task = 0; task < 3; task++) {
      for (LabeledExample example : examples) {
        TaskLabel label = example.labels()[task];
        if (label.kind() == LabelKind.FINAL) {
          values.add(label.value());
        }
      }
    }
    return values;
  }
}
