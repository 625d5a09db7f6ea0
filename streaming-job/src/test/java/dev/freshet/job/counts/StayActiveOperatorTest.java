package dev.freshet.job.counts;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.counts.CountJoin;
import dev.freshet.core.counts.CountPlan;
import dev.freshet.core.counts.CountedEvent;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.job.codec.CodecTypeInfo;
import dev.freshet.job.labels.LabelJoinFunction;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.operators.co.KeyedCoProcessOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.StreamTaskActionExecutor;
import org.apache.flink.streaming.runtime.tasks.mailbox.Mail;
import org.apache.flink.streaming.runtime.tasks.mailbox.MailboxExecutorImpl;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.streaming.util.KeyedTwoInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What waits for its counts is not late where all sources were idle and the shorter way wakes. */
class StayActiveOperatorTest {

  private static final long START = 1_767_225_600_000L;
  private static final long DAY = 86_400_000;

  private final Pipeline pipeline =
      TestingPipelines.shop(
          "edges: [1, 10, 100]}",
          """
          edges: [1, 10, 100]}
            - {name: clicks, kind: count, of: click, by: item, half-life: 1h}
          """);
  private final CountPlan plan = pipeline.counts();
  private final CountPlan.By item = plan.by().get(0);

  private KeyedTwoInputStreamOperatorTestHarness<String, Impression, Feedback, CountedEvent> join;
  private KeyedTwoInputStreamOperatorTestHarness<Long, Impression, CountedEvent, Impression> counts;
  private KeyedTwoInputStreamOperatorTestHarness<String, Impression, Feedback, LabeledExample>
      labels;

  @BeforeEach
  void open() throws Exception {
    CountPlan.By by = item;
    join =
        new KeyedTwoInputStreamOperatorTestHarness<>(
            new StayActiveOperator<>(
                new CountJoinFunction(new CountJoin(plan, pipeline.tasks(), pipeline.labels()))),
            Impression::id,
            Feedback::impressionId,
            Types.STRING);
    counts =
        new KeyedTwoInputStreamOperatorTestHarness<>(
            new StayActiveOperator<>(
                new CountFunction(by, pipeline.tasks(), pipeline.schema().layout())),
            impression -> CountFunction.key(by, impression),
            event -> event.keys()[0],
            Types.LONG);
    labels =
        new KeyedTwoInputStreamOperatorTestHarness<>(
            new KeyedCoProcessOperator<>(
                new LabelJoinFunction(
                    new LabelJoin(pipeline.tasks(), pipeline.labels(), false), "fields")),
            Impression::id,
            Feedback::impressionId,
            Types.STRING);
    for (var harness : List.of(join, counts)) {
      Configuration job = harness.getEnvironment().getJobConfiguration();
      job.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofSeconds(1));
      job.set(CheckpointingOptions.ENABLE_UNALIGNED, true);
      job.set(CheckpointingOptions.ENABLE_UNALIGNED_INTERRUPTIBLE_TIMERS, true);
      harness
          .getOperator()
          .setMailboxExecutor(
              new MailboxExecutorImpl(
                  harness.getTaskMailbox(), 0, StreamTaskActionExecutor.IMMEDIATE));
    }
    join.setup(CodecTypeInfo.COUNTED_EVENT.createSerializer(null));
    counts.setup(CodecTypeInfo.IMPRESSION.createSerializer(null));
    labels.setup(CodecTypeInfo.LABELED.createSerializer(null));
    join.open();
    counts.open();
    labels.open();
  }

  @AfterEach
  void close() throws Exception {
    join.close();
    counts.close();
    labels.close();
  }

  @Test
  void feedbackThatWakesFirstPassesNothingThatWaits() throws Exception {
    shownAndClicked();
    everythingFallsSilent();

    labels.processWatermarkStatus2(WatermarkStatus.ACTIVE);
    labels.processWatermark2(new Watermark(START + DAY));
    assertThat(labels.extractOutputValues()).as("the impression waits for its counts").isEmpty();

    join.processWatermarkStatus2(WatermarkStatus.ACTIVE);
    join.processWatermark2(new Watermark(START + DAY));
    passOn();
    theClickIsLearnt();
  }

  @Test
  void aDrainThatEndsFeedbackFirstPassesNothingThatWaits() throws Exception {
    shownAndClicked();
    everythingFallsSilent();

    labels.processWatermarkStatus2(WatermarkStatus.ACTIVE);
    labels.processWatermark2(Watermark.MAX_WATERMARK);
    for (var harness : List.of(join, counts)) {
      harness.processWatermarkStatus1(WatermarkStatus.ACTIVE);
      harness.processWatermark1(Watermark.MAX_WATERMARK);
    }
    join.processWatermarkStatus2(WatermarkStatus.ACTIVE);
    join.processWatermark2(Watermark.MAX_WATERMARK);
    passOn();
    theClickIsLearnt();
  }

  /** Impressions that wake first must not move the counters past what is still to be counted. */
  @Test
  void impressionsThatWakeFirstAreToldAllThatWasBefore() throws Exception {
    shownAndClicked();
    everythingFallsSilent();

    Impression next = shown("b", START + DAY);
    counts.processWatermarkStatus1(WatermarkStatus.ACTIVE);
    counts.processElement1(new StreamRecord<>(next));
    counts.processWatermark1(new Watermark(START + 2 * DAY));
    Feedback click = new Feedback("a", "again", 0, START + 2000, 1);
    join.processElement2(new StreamRecord<>(click));
    join.processWatermarkStatus1(WatermarkStatus.ACTIVE);
    join.processWatermark1(new Watermark(START + 2 * DAY));
    List<CountedEvent> counted = join.extractOutputValues();
    assertThat(counted).hasSize(1);
    counts.processElement2(new StreamRecord<>(counted.get(0)));
    assertThat(counts.extractOutputValues()).as("waits for the joined feedback").isEmpty();
  }

  /** Whose timer waits behind a checkpoint is forgotten like whose timer has come. */
  @Test
  void whatIsForgottenCountsNoMoreBetweenTimers() throws Exception {
    for (String id : List.of("a", "b")) {
      join.processElement1(new StreamRecord<>(plan.slim(shown(id, START))));
    }
    join.getTaskMailbox().put(new Mail(() -> {}, 0, "a checkpoint"));
    join.processBothWatermarks(new Watermark(START + DAY));
    assertThat(join.numEventTimeTimers()).as("one has come, one waits").isEqualTo(1);
    for (String id : List.of("a", "b")) {
      join.processElement2(new StreamRecord<>(new Feedback(id, "c", 0, START + 1000, 1)));
    }
    assertThat(join.extractOutputValues()).isEmpty();
    assertThat(join.numKeyedStateEntries()).isZero();
    assertThat(join.numEventTimeTimers()).isZero();
  }

  @Test
  void aLateEventIsNotToldToWhomItCameAfter() throws Exception {
    join.processElement1(new StreamRecord<>(plan.slim(shown("a", START))));
    join.processElement2(new StreamRecord<>(new Feedback("a", "c", 0, START + 1000, 1)));
    List<CountedEvent> click = join.extractOutputValues();
    assertThat(click).hasSize(1);
    for (String id : List.of("b", "c")) {
      counts.processElement1(new StreamRecord<>(shown(id, START + 60_000)));
      counts.processElement1(new StreamRecord<>(shown(id + "2", START + 70_000)));
    }
    counts.getTaskMailbox().put(new Mail(() -> {}, 0, "a checkpoint"));
    counts.processBothWatermarks(new Watermark(START + DAY));
    assertThat(counts.extractOutputValues()).as("one moment of two").hasSize(2);
    counts.processElement2(new StreamRecord<>(click.get(0)));
    assertThat(counts.extractOutputValues())
        .hasSize(4)
        .allSatisfy(told -> assertThat(((RawFeatures) told.features()).numbers()[1]).isEqualTo(0));
  }

  private void shownAndClicked() throws Exception {
    Impression impression = shown("a", START);
    join.processElement1(new StreamRecord<>(plan.slim(impression)));
    counts.processElement1(new StreamRecord<>(impression));
    Feedback click = new Feedback("a", "c", 0, START + 1000, 1);
    join.processElement2(new StreamRecord<>(click));
    labels.processElement2(new StreamRecord<>(click));
    for (var harness : List.of(join, counts, labels)) {
      harness.processWatermark1(new Watermark(START - 1));
    }
    join.processWatermark2(new Watermark(START - 1));
    labels.processWatermark2(new Watermark(START - 1));
    passOn();
  }

  private void everythingFallsSilent() throws Exception {
    join.processWatermarkStatus1(WatermarkStatus.IDLE);
    counts.processWatermarkStatus1(WatermarkStatus.IDLE);
    join.processWatermarkStatus2(WatermarkStatus.IDLE);
    labels.processWatermarkStatus2(WatermarkStatus.IDLE);
    passOn();
  }

  /** What left the join goes to the counter, and what left that to the labels. */
  private void passOn() throws Exception {
    for (Object one : join.getOutput()) {
      if (one instanceof Watermark mark) {
        counts.processWatermark2(mark);
      } else if (one instanceof WatermarkStatus status) {
        counts.processWatermarkStatus2(status);
      } else {
        counts.processElement2(element(one));
      }
    }
    join.getOutput().clear();
    for (Object one : counts.getOutput()) {
      if (one instanceof Watermark mark) {
        labels.processWatermark1(mark);
      } else if (one instanceof WatermarkStatus status) {
        labels.processWatermarkStatus1(status);
      } else {
        labels.processElement1(element(one));
      }
    }
    counts.getOutput().clear();
  }

  @SuppressWarnings("unchecked")
  private static <T> StreamRecord<T> element(Object one) {
    return (StreamRecord<T>) one;
  }

  private void theClickIsLearnt() {
    assertThat(labels.getSideOutput(LabelJoinFunction.DROPPED)).isNullOrEmpty();
    assertThat(labels.extractOutputValues())
        .filteredOn(example -> Stream.of(example.labels()).anyMatch(label -> label.value() == 1))
        .as("examples with the click")
        .isNotEmpty();
  }

  private static Impression shown(String id, long time) {
    String[][] categories = {{}, {}, {"p"}};
    return new Impression(
        id, time, new RawFeatures(categories, new double[] {5, Double.NaN}), null);
  }
}
