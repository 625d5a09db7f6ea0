package dev.freshet.job.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.FeedbackCodec;
import dev.freshet.core.events.SourcePosition;
import dev.freshet.job.codec.CodecTypeInfo;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.util.OutputTag;
import org.junit.jupiter.api.Test;

class SplitOperatorTest {

  @Test
  void positionsLeaveBeforeTheBarrierAndOnlyIfTheyMoved() throws Exception {
    try (var harness = harness()) {
      harness.processElement(accepted("clicks", 1, 7, 70));
      harness.processElement(rejected("clicks", 0, 3, 50));
      harness.processElement(accepted("clicks", 1, 8, 60));
      assertThat(side(harness, SplitOperator.POSITIONS)).isEmpty();
      harness.prepareSnapshotPreBarrier(1);
      assertThat(side(harness, SplitOperator.POSITIONS))
          .as("rejected messages have been read too")
          .containsExactly(
              new SourcePosition("clicks", 0, 3, 50), new SourcePosition("clicks", 1, 8, 70));
      assertThat(side(harness, SplitOperator.DEAD_LETTERS)).hasSize(1);
      assertThat(harness.extractOutputValues()).extracting(Feedback::task).containsExactly(0, 0);

      harness.prepareSnapshotPreBarrier(2);
      assertThat(side(harness, SplitOperator.POSITIONS)).as("nothing was read").hasSize(2);
      harness.processElement(accepted("clicks", 0, 4, 90));
      harness.endInput();
      assertThat(side(harness, SplitOperator.POSITIONS))
          .last()
          .isEqualTo(new SourcePosition("clicks", 0, 4, 90));
    }
  }

  @Test
  void whatIsPassedOverIsCountedAndHasBeenRead() throws Exception {
    SourceEvent<Feedback> nothing =
        new SourceEvent<>(null, SourceEvent.NO_TIME, null, new SourcePosition("clicks", 0, 3, 50));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    SourceEventCodec<Feedback> codec = new SourceEventCodec<>(new FeedbackCodec());
    codec.write(nothing, new DataOutputStream(bytes));
    SourceEvent<Feedback> read =
        codec.read(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
    assertThat(read).isEqualTo(nothing);
    try (var harness = harness()) {
      harness.processElement(new StreamRecord<>(read));
      harness.prepareSnapshotPreBarrier(1);
      assertThat(side(harness, SplitOperator.POSITIONS)).containsExactly(nothing.position());
      assertThat(side(harness, SplitOperator.DEAD_LETTERS)).isEmpty();
      assertThat(harness.extractOutputValues()).isEmpty();
    }
  }

  @Test
  void theEndClosesAllWindowsAlsoBehindAnIdleSource() throws Exception {
    try (var harness = harness()) {
      harness.processWatermarkStatus(WatermarkStatus.IDLE);
      harness.endInput();
      assertThat(harness.getOutput())
          .containsExactly(WatermarkStatus.IDLE, WatermarkStatus.ACTIVE, Watermark.MAX_WATERMARK);
    }
  }

  private static OneInputStreamOperatorTestHarness<SourceEvent<Feedback>, Feedback> harness()
      throws Exception {
    var harness =
        new OneInputStreamOperatorTestHarness<>(
            new SplitOperator<Feedback>(),
            MessageParser.typeInfo(new FeedbackCodec()).createSerializer(null));
    harness.setup(CodecTypeInfo.FEEDBACK.createSerializer(null));
    harness.open();
    return harness;
  }

  private static StreamRecord<SourceEvent<Feedback>> accepted(
      String topic, int partition, long next, long producedAt) {
    return new StreamRecord<>(
        new SourceEvent<>(
            new Feedback("i", "e" + next, 0, 100_000, 1),
            100_000,
            null,
            new SourcePosition(topic, partition, next, producedAt)),
        100_000);
  }

  private static StreamRecord<SourceEvent<Feedback>> rejected(
      String topic, int partition, long next, long producedAt) {
    byte[] bytes = "{".getBytes(StandardCharsets.UTF_8);
    return new StreamRecord<>(
        new SourceEvent<>(
            null,
            SourceEvent.NO_TIME,
            new DeadLetter(
                null, bytes, "malformed-json", "?", "click", "message", topic, partition, next - 1),
            new SourcePosition(topic, partition, next, producedAt)));
  }

  private static <T> List<T> side(
      OneInputStreamOperatorTestHarness<?, ?> harness, OutputTag<T> tag) {
    List<T> values = new ArrayList<>();
    if (harness.getSideOutput(tag) != null) {
      harness.getSideOutput(tag).forEach(record -> values.add(record.getValue()));
    }
    return values;
  }
}
