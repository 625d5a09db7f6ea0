package dev.freshet.job.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.functions.util.ListCollector;
import org.apache.flink.metrics.SimpleCounter;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
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
    assertThat(letter.kind()).isEqualTo("click");
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
  void aMessageOfALayoutOfItsOwnMayHoldSeveralEventsOrNone() throws Exception {
    Pipeline mapped =
        TestingPipelines.shop(
            "tasks:",
            """
            kafka: {topics: {purchase: orders, revenue: orders}}
            events:
              purchase: {when: .type == "order", impression-id: .ref, event-id: .id, event-time: .at}
              revenue: {when: .type == "order", impression-id: .ref, event-id: .id, event-time: .at, value: .total}
            tasks:""");
    List<SourceEvent<Feedback>> both =
        parsed(
            mapped,
            "orders",
            "{\"type\":\"order\",\"ref\":\"i\",\"id\":1,\"at\":1767225600000,\"total\":\"x\"}");
    assertThat(both).extracting(SourceEvent::position).containsOnly(both.get(0).position());
    assertThat(both.get(0).event()).isEqualTo(new Feedback("i", "1", 1, 1_767_225_600_000L, 1));
    assertThat(both.get(1).rejected().field()).isEqualTo("value");
    assertThat(both.get(1).rejected().value()).as("as it came").asString().contains("\"ref\"");
    assertThat(parsed(mapped, "orders", "{\"type\":\"cart\"}"))
        .as("only its position is of use")
        .containsExactly(
            new SourceEvent<>(null, SourceEvent.NO_TIME, null, both.get(0).position()));
    assertThat(parsed(mapped, "click", "{\"type\":\"order\"}"))
        .extracting(event -> event.rejected().reason())
        .containsExactly("missing-field");
  }

  private static List<SourceEvent<Feedback>> parsed(Pipeline of, String topic, String message)
      throws Exception {
    byte[] bytes = message.getBytes(StandardCharsets.UTF_8);
    List<SourceEvent<Feedback>> events = new ArrayList<>();
    MessageParser.feedback(of)
        .deserialize(
            new ConsumerRecord<>(topic, 3, 42, new byte[] {7}, bytes), new ListCollector<>(events));
    return events;
  }

  @Test
  void aDeadLetterMovesNoWatermark() {
    WatermarkGenerator<SourceEvent<Feedback>> generator =
        new EventWatermarks<>(pipeline.labels(), new SimpleCounter());
    Marks marks = new Marks();
    generator.onEvent(
        new SourceEvent<>(null, SourceEvent.NO_TIME, null, null), Long.MIN_VALUE, marks);
    generator.onPeriodicEmit(marks);
    assertThat(marks.times).isEmpty();
    for (int i = 0; i < 5; i++) {
      generator.onEvent(
          new SourceEvent<>(new Feedback("i", "e" + i, 0, 100_000, 1), 100_000, null, null),
          100_000,
          marks);
    }
    generator.onEvent(
        new SourceEvent<>(null, SourceEvent.NO_TIME, null, null), Long.MIN_VALUE, marks);
    generator.onPeriodicEmit(marks);
    assertThat(marks.times).containsExactly(100_000L - 60_000 - 1);
  }

  @Test
  void anEventFarAheadOfItsArrivalIsNone() throws Exception {
    long arrived = 1_767_225_600_000L;
    long limit = arrived + 3_600_000;
    assertThat(click(limit, arrived).event()).as("the limit itself").isNotNull();
    DeadLetter letter = click(limit + 1, arrived).rejected();
    assertThat(letter.reason()).isEqualTo("ahead");
    assertThat(letter.kind()).isEqualTo("click");
    assertThat(letter.error())
        .contains("event_time is '2026-01-01T01:00:00.001Z'")
        .contains("labels.max-ahead (1h) after the message arrived, 2026-01-01T00:00:00Z");
    assertThat(click(limit + 1, -1).event()).as("nobody knows when it arrived").isNotNull();
    assertThat(click(arrived - 1_000_000_000_000L / 2, arrived).event()).isNotNull();
  }

  @Test
  void aHeaderSaysWhenAReplayedMessageArrived() throws Exception {
    long now = 1_795_000_000_000L;
    long then = 1_767_225_600_000L;
    assertThat(click(then + 4_000_000, now, Long.toString(then)).rejected().reason())
        .isEqualTo("ahead");
    assertThat(click(now + 4_000_000, then, Long.toString(now + 1_000_000)).event()).isNotNull();
    assertThat(click(now, now, "soon").event()).as("an unreadable header says nothing").isNotNull();
  }

  private SourceEvent<Feedback> click(long eventTime, long recordTime, String... arrived)
      throws Exception {
    byte[] message =
        "{\"impression_id\":\"i\",\"event_id\":\"e\",\"kind\":\"click\",\"event_time\":%d}"
            .formatted(eventTime)
            .getBytes(StandardCharsets.UTF_8);
    RecordHeaders headers = new RecordHeaders();
    for (String text : arrived) {
      headers.add(MessageParser.ARRIVED, text.getBytes(StandardCharsets.US_ASCII));
    }
    return parse(
        new ConsumerRecord<>(
            "click",
            3,
            42,
            recordTime,
            TimestampType.CREATE_TIME,
            1,
            message.length,
            new byte[] {7},
            message,
            headers,
            Optional.empty()));
  }

  private SourceEvent<Feedback> parse(String topic, byte[] message) throws Exception {
    return parse(new ConsumerRecord<>(topic, 3, 42, new byte[] {7}, message));
  }

  private SourceEvent<Feedback> parse(ConsumerRecord<byte[], byte[]> message) throws Exception {
    List<SourceEvent<Feedback>> events = new ArrayList<>();
    MessageParser.feedback(pipeline)
        .deserialize(
            message,
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
