package dev.freshet.job.labels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.labels.DropReason;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.job.codec.CodecTypeInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.StreamTaskActionExecutor;
import org.apache.flink.streaming.runtime.tasks.mailbox.Mail;
import org.apache.flink.streaming.runtime.tasks.mailbox.MailboxExecutorImpl;
import org.apache.flink.streaming.runtime.tasks.mailbox.TaskMailbox;
import org.apache.flink.streaming.util.KeyedTwoInputStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A checkpoint that comes while thousands of windows close does not wait for the last of them; what
 * is told is the same as without it, also when events come in between.
 */
class InterruptedTimersTest {

  private static final long SHOWN = 1_767_225_600_000L;
  private static final long MINUTE = 60_000;
  private static final int IMPRESSIONS = 20;

  private final Pipeline pipeline = TestingPipelines.shop();

  /** The join in a task that has mail after every timer, or never. */
  private final class Join implements AutoCloseable {
    private final KeyedTwoInputStreamOperatorTestHarness<
            String, Impression, Feedback, LabeledExample>
        harness;
    private final boolean interrupted;

    Join(boolean rocks, boolean interrupted, OperatorSubtaskState from) throws Exception {
      this.interrupted = interrupted;
      LabelJoin join = new LabelJoin(pipeline.tasks(), pipeline.labels(), false);
      harness =
          new KeyedTwoInputStreamOperatorTestHarness<>(
              new InterruptibleOperator<>(new LabelJoinFunction(join, "fields")),
              Impression::id,
              Feedback::impressionId,
              Types.STRING);
      Configuration job = harness.getEnvironment().getJobConfiguration();
      job.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofSeconds(1));
      job.set(CheckpointingOptions.ENABLE_UNALIGNED, true);
      job.set(CheckpointingOptions.ENABLE_UNALIGNED_INTERRUPTIBLE_TIMERS, true);
      if (rocks) {
        harness.setStateBackend(new EmbeddedRocksDBStateBackend());
      }
      // What the task does for a real operator; the harness leaves it out where there are two
      // inputs.
      harness
          .getOperator()
          .setMailboxExecutor(
              new MailboxExecutorImpl(
                  harness.getTaskMailbox(), 0, StreamTaskActionExecutor.IMMEDIATE));
      harness.setup(CodecTypeInfo.LABELED.createSerializer(null));
      if (from != null) {
        harness.initializeState(from);
      }
      harness.open();
    }

    void watermark(long time) throws Exception {
      if (interrupted) {
        harness.getTaskMailbox().put(new Mail(() -> {}, 0, "a checkpoint"));
      }
      harness.processBothWatermarks(new Watermark(time));
    }

    /** As the task would between two records. */
    void readMail() throws Exception {
      while (harness.getTaskMailbox().hasMail()) {
        harness.getTaskMailbox().take(TaskMailbox.MIN_PRIORITY).run();
      }
    }

    List<String> told() {
      return harness.extractOutputValues().stream()
          .map(InterruptedTimersTest::told)
          .sorted()
          .collect(Collectors.toList());
    }

    List<DropReason> dropped() {
      var side = harness.getSideOutput(LabelJoinFunction.DROPPED);
      return side == null ? List.of() : side.stream().map(d -> d.getValue().reason()).toList();
    }

    @Override
    public void close() throws Exception {
      harness.close();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aSnapshotBetweenTimersGoesOnAsIfThereWasNone(boolean rocks) throws Exception {
    try (Join straight = new Join(rocks, false, null);
        Join first = new Join(rocks, true, null)) {
      for (Join join : List.of(straight, first)) {
        show(join);
        join.watermark(SHOWN + 500 * MINUTE);
      }
      List<String> all = straight.told();
      assertThat(all).hasSize(3 * IMPRESSIONS).doesNotHaveDuplicates();
      List<String> before = first.told();
      assertThat(before).as("the mail waits for one timer at most").hasSizeLessThan(2);
      assertThat(first.harness.getOutput())
          .as("nor may time go on")
          .noneMatch(Watermark.class::isInstance);
      try (Join second = new Join(rocks, false, first.harness.snapshot(1, 1))) {
        second.watermark(SHOWN + 500 * MINUTE);
        List<String> both = new ArrayList<>(before);
        both.addAll(second.told());
        assertThat(both).containsExactlyInAnyOrderElementsOf(all);
        assertThat(second.harness.numEventTimeTimers()).isZero();
      }
      first.readMail();
      assertThat(first.told()).isEqualTo(all);
      assertThat(first.harness.numEventTimeTimers()).isZero();
    }
  }

  /** At a drain what is behind the join ends once the join has ended. */
  @Test
  void theEndOfAllTimeIsNotInterrupted() throws Exception {
    try (Join join = new Join(false, true, null)) {
      show(join);
      join.watermark(SHOWN + 500 * MINUTE);
      assertThat(join.told()).hasSizeLessThan(2);
      join.watermark(Long.MAX_VALUE);
      assertThat(join.told()).hasSize(3 * IMPRESSIONS).doesNotHaveDuplicates();
      join.readMail();
      assertThat(join.harness.getOutput().stream().filter(Watermark.class::isInstance))
          .as("time does not go back")
          .containsExactly(Watermark.MAX_WATERMARK);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void eventsInBetweenFindWhatTheyWouldFindAfterwards(boolean rocks) throws Exception {
    try (Join straight = new Join(rocks, false, null);
        Join interrupted = new Join(rocks, true, null)) {
      for (Join join : List.of(straight, interrupted)) {
        show(join);
        join.watermark(SHOWN + 15 * MINUTE);
        for (int i = 0; i < IMPRESSIONS; i++) {
          click(join, i, SHOWN + 5 * MINUTE, "late");
          purchase(join, i, SHOWN + 40 * MINUTE);
        }
        join.harness.processElement1(new StreamRecord<>(impression("behind", SHOWN)));
        join.readMail();
        join.watermark(SHOWN + 500 * MINUTE);
        join.readMail();
      }
      assertThat(interrupted.told()).isEqualTo(straight.told());
      assertThat(interrupted.dropped())
          .containsExactlyElementsOf(straight.dropped())
          .contains(DropReason.LATE);
      assertThat(interrupted.harness.numEventTimeTimers()).isZero();
    }
  }

  private static void show(Join join) throws Exception {
    for (int i = 0; i < IMPRESSIONS; i++) {
      join.harness.processElement1(new StreamRecord<>(impression("i" + i, SHOWN)));
      if (i % 2 == 0) {
        click(join, i, SHOWN + MINUTE, "c");
      }
    }
  }

  private static Impression impression(String id, long time) {
    return new Impression(
        id, time, new RawFeatures(new String[][] {{}, {}, {"p"}}, new double[] {5}), null);
  }

  private static void click(Join join, int impression, long time, String event) throws Exception {
    join.harness.processElement2(
        new StreamRecord<>(new Feedback("i" + impression, event, 0, time, 1)));
  }

  private static void purchase(Join join, int impression, long time) throws Exception {
    join.harness.processElement2(
        new StreamRecord<>(new Feedback("i" + impression, "p", 1, time, 1)));
  }

  private static String told(LabeledExample example) {
    return example.impression().id() + " " + Arrays.toString(example.labels());
  }
}
