package dev.freshet.job.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

class MessageParserTest {

  private final Pipeline pipeline = TestingPipelines.shop();

  @Test
  void aDeadLetterCarriesTheOriginalBytesAndWhereTheyCameFrom() throws Exception {
    byte[] broken = "{\"impression_id\": \u00e9".getBytes(StandardCharsets.UTF_8);
    SourceEvent<Feedback> event = parse("click", broken);
    assertThat(event.event()).isNull();
    assertThat(event.eventTime()).isEqualTo(SourceEvent.NO_TIME);
    DeadLetter letter = event.rejected();
    assertThat(letter.value()).isEqualTo(broken);
    assertThat(letter.key()).isEqualTo(new byte[] {7});
    assertThat(letter.reason()).isEqualTo("malformed-json");
    assertThat(letter.error()).contains("message").contains("allowed: one JSON object");
    assertThat(letter.topic()).isEqualTo("click");
    assertThat(letter.partition()).isEqualTo(3);
    assertThat(letter.offset()).isEqualTo(42);
  }

  @Test
  void theTopicTellsTheKind() throws Exception {
    byte[] message =
        "{\"impression_id\":\"i\",\"event_id\":\"e\",\"event_time\":1767225600000}"
            .getBytes(StandardCharsets.UTF_8);
    assertThat(parse("purchase", message).event().task()).isEqualTo(1);
  }

  @Test
  void aDeadLetterMovesNoWatermark() {
    WatermarkGenerator<SourceEvent<Feedback>> generator = new EventWatermarks<>(60_000);
    Marks marks = new Marks();
    generator.onEvent(
        new SourceEvent<>(null, SourceEvent.NO_TIME, null, null), Long.MIN_VALUE, marks);
    generator.onPeriodicEmit(marks);
    assertThat(marks.times).isEmpty();
    generator.onEvent(
        new SourceEvent<>(new Feedback("i", "e", 0, 100_000, 1), 100_000, null, null),
        100_000,
        marks);
    generator.onEvent(
        new SourceEvent<>(null, SourceEvent.NO_TIME, null, null), Long.MIN_VALUE, marks);
    generator.onPeriodicEmit(marks);
    assertThat(marks.times).containsExactly(100_000L - 60_000 - 1);
  }

  private SourceEvent<Feedback> parse(String topic, byte[] message) throws Exception {
    List<SourceEvent<Feedback>> events = new ArrayList<>();
    MessageParser.feedback(pipeline)
        .deserialize(
            new ConsumerRecord<>(topic, 3, 42, new byte[] {7}, message),
            new Collector<>() {
              @Override
              public void collect(SourceEvent<Feedback> event) {
                events.add(event);
              }

              @Override
              public void close() {}
            });
    assertThat(events).hasSize(1);
    return events.get(0);
  }

  private static final class Marks implements WatermarkOutput {
    private final List<Long> times = new ArrayList<>();

    @Override
    public void emitWatermark(Watermark watermark) {
      times.add(watermark.getTimestamp());
    }

    @Override
    public void markIdle() {}

    @Override
    public void markActive() {}
  }
}
