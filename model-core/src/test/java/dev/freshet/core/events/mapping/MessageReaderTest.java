package dev.freshet.core.events.mapping;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.events.RejectReason;
import dev.freshet.core.events.Rejection;
import dev.freshet.core.pipeline.PipelineFile;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MessageReaderTest {

  private static final long TIME = Instant.parse("2026-01-01T00:00:00Z").toEpochMilli();

  private static MessageReader reader(String events) {
    return PipelineFile.parse(
            """
            pipeline: mapped
            kafka: {topics: {impressions: shop, click: shop, order: shop, revenue: shop}}
            tasks:
              - {name: click, kind: binary, window: 10m}
              - {name: order, kind: binary, after: click, window: 1h}
              - {name: revenue, kind: continuous, after: order, window: 1h}
            features:
              - {name: user, kind: categorical}
              - {name: tags, kind: categorical, many: true}
              - {name: price, kind: numeric}
            models: [{name: main, kind: shared-bottom}]
            """
                + events,
            "test")
        .messages();
  }

  private static final String SHOP =
      """
      events:
        impressions:
          when: .type == "view"
          each: .items[]
          impression-id: '"\\($message.request)/\\(.slot)"'
          event-time: $message.at
          time-unit: seconds
          features: .
          fields: {user: $message.who.id, tags: '.labels[].name'}
        click:
          when: .type == "click"
          impression-id: '"\\(.request)/\\(.slot)"'
          event-id: .id
          event-time: .at
          time-unit: seconds
        order:
          when: .type == "order"
          impression-id: '"\\(.request)/\\(.slot)"'
          event-id: .id
          event-time: .at
          time-unit: seconds
        revenue:
          when: .type == "order"
          impression-id: '"\\(.request)/\\(.slot)"'
          event-id: .id
          event-time: .at
          time-unit: seconds
          value: .total
      """;

  private static final String VIEW =
      """
      {"type": "view", "request": "r1", "at": 1767225600.5, "who": {"id": 7}, "items": [
        {"slot": 1, "price": "9.5", "labels": [{"name": "new"}, {"name": "red"}]},
        {"slot": 2, "price": 3, "labels": []}]}
      """;

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void aMessageMayHoldSeveralImpressions() {
    List<Parsed<Impression>> read = reader(SHOP).impressions(bytes(VIEW));
    assertThat(read)
        .extracting(p -> requireNonNull(p.event()).id())
        .containsExactly("r1/1", "r1/2");
    Impression first = requireNonNull(read.get(0).event());
    assertThat(first.eventTime()).isEqualTo(TIME + 500);
    RawFeatures features = (RawFeatures) first.features();
    assertThat(features.categories()[0]).containsExactly("7");
    assertThat(features.categories()[1]).containsExactly("new", "red");
    assertThat(features.numbers()).containsExactly(9.5);
  }

  @Test
  void aMessageMayBeFeedbackOfSeveralTasks() {
    String order =
        """
        {"type": "order", "request": "r1", "slot": 1, "id": "o1", "at": 1767225660, "total": "12.50"}
        """;
    assertThat(reader(SHOP).feedback(bytes(order), "shop"))
        .extracting(Parsed::event)
        .containsExactly(
            new Feedback("r1/1", "o1", 1, TIME + 60_000, 1),
            new Feedback("r1/1", "o1", 2, TIME + 60_000, 12.5));
    assertThat(reader(SHOP).impressions(bytes(order))).isEmpty();
    assertThat(reader(SHOP).feedback(bytes(VIEW), "shop")).isEmpty();
    assertThat(reader(SHOP).feedback(bytes(VIEW), null)).isEmpty();
  }

  @Test
  void theReaderTravelsWithoutWhatItHasMade() throws Exception {
    MessageReader reader = reader(SHOP);
    assertThat(reader.impressions(bytes(VIEW))).hasSize(2);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new ObjectOutputStream(out).writeObject(reader);
    Object copy = new ObjectInputStream(new ByteArrayInputStream(out.toByteArray())).readObject();
    assertThat(((MessageReader) copy).impressions(bytes(VIEW))).hasSize(2);
  }

  private static Rejection rejection(String message) {
    List<Parsed<Impression>> read = reader(SHOP).impressions(bytes(message));
    assertThat(read).hasSize(1);
    return requireNonNull(read.get(0).rejection());
  }

  @Test
  void whatAnExpressionFailsOnIsRefusedAndTold() {
    assertThat(rejection("{\"type\": \"view\", \"items\": 7}"))
        .hasToString(
            "mapping: each is '{\"type\":\"view\",\"items\":7}'; allowed: what `.items[]` works on:"
                + " Cannot iterate over number (7)");
    assertThat(
            rejection(
                "{\"type\": \"view\", \"at\": 1767225600, \"items\": [{\"labels\": \"x\", \"slot\": 1}]}"))
        .extracting(Rejection::reason, Rejection::field)
        .containsExactly(RejectReason.MAPPING, "features.tags");
    assertThat(rejection("{\"type\": \"view\", \"at\": 1767225600, \"items\": [{\"slot\": 1}]}"))
        .extracting(Rejection::reason, Rejection::field)
        .containsExactly(RejectReason.MAPPING, "features.tags");
    assertThat(rejection("\"a row of 2 columns\""))
        .hasToString("wrong-type: message is '\"a row of 2 columns\"'; allowed: a JSON object");
    assertThat(rejection("{")).extracting(Rejection::reason).isEqualTo(RejectReason.MALFORMED_JSON);
  }

  /** Mistakes that many make, each with what to do about it. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "each: .items                          | `[]` behind an expression gives what is in its list",
        "each: '.items[]', event-time: .at     | `.at` gives, which is nothing here; `$message` is",
        "event-time: .day, time-zone: UTC      | event_time is '05.01.2026'; allowed: a time from 2000",
        "event-time: .day, time-pattern: dd.MM.yyyy | time-pattern`, with a zone, which `time-zone` names",
        "event-time: .at, time-unit: microseconds   | '1767225600'; allowed: a time from 2000 to 2099: a number of microseconds",
        "each: '.at'                           | each is '1767225600'; allowed: an object",
      })
  void mistakesAreToldWithWhatToDo(String settings, String told) {
    MessageReader reader =
        reader(
            "events:\n  impressions: {impression-id: '\"i\"', %s}\n  click: {}\n  order: {}\n  revenue: {}\n"
                .formatted(settings));
    byte[] message =
        bytes("{\"at\": 1767225600, \"day\": \"05.01.2026\", \"items\": [{\"slot\": 1}]}");
    assertThat(requireNonNull(reader.impressions(message).get(0).rejection()).toString())
        .contains(told);
  }

  @Test
  void whatIsNotThereIsRefusedAsEverywhere() {
    assertThat(rejection("{\"type\": \"view\", \"items\": [{\"slot\": 1, \"labels\": []}]}"))
        .extracting(Rejection::reason, Rejection::field)
        .containsExactly(RejectReason.MISSING_FIELD, "event_time");
  }

  private static long time(String settings, String time) {
    MessageReader reader =
        reader(
            "events:\n  impressions: {%s}\n  click: {}\n  order: {}\n  revenue: {}\n"
                .formatted(settings));
    String message = "{\"impression_id\": \"i\", \"event_time\": " + time + "}";
    Parsed<Impression> read = reader.impressions(bytes(message)).get(0);
    return read.event() == null ? -1 : read.event().eventTime() - TIME;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "time-unit: seconds                                         | 1767225600                        | 0",
        "time-unit: seconds                                         | \"1767225601.25\"                 | 1250",
        "time-unit: seconds                                         | \"2026-01-01T00:00:01Z\"          | 1000",
        "time-unit: microseconds                                    | 1767225600000999                  | 0",
        "time-unit: nanoseconds                                     | 1767225600001000000               | 1",
        "time-unit: seconds                                         | 1767225600000                     | -1",
        "time-unit: seconds                                         | 1e999                             | -1",
        "time-unit: seconds                                         | true                              | -1",
        "time-zone: Europe/Berlin                                   | \"2026-01-01 01:00:00\"           | 0",
        "time-zone: Europe/Berlin                                   | \"2026-01-01T01:00:00.5\"         | 500",
        "time-zone: Europe/Berlin                                   | \"2026-01-01T00:00:00Z\"          | 0",
        "time-zone: UTC                                             | \"2026-01-02\"                    | 86400000",
        "time-zone: '+02:00'                                        | \"2026-01-01T02:00\"              | 0",
        "time-zone: UTC                                             | \"yesterday\"                     | -1",
        "when: true                                                 | \"2026-01-01T01:00:00\"           | -1",
        "when: true                                                 | \"2026-01-01T01:00:00+01:00\"     | 0",
        "time-pattern: 'dd.MM.yyyy HH:mm', time-zone: Europe/Berlin | \"01.01.2026 01:00\"              | 0",
        "time-pattern: 'yyyyMMdd', time-zone: UTC                   | 20260101                          | 0",
        "time-pattern: 'dd.MM.yyyy HH:mm'                           | \"01.01.2026 01:00\"              | -1",
        "time-pattern: 'dd.MM.yyyy HH:mm XXX'                       | \"01.01.2026 01:00 +01:00\"       | 0",
      })
  void times(String settings, String time, long after) {
    assertThat(time(settings, time)).isEqualTo(after);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "12.5 | 12.5",
        "\"12.50\" | 12.5",
        "\"1e2\" | 100",
        "true | 1",
        "false | 0",
        "\"12,5\" | NaN",
        "\"1e999999999\" | NaN",
        "[] | NaN",
      })
  void amounts(String value, double amount) {
    MessageReader reader = reader(SHOP);
    String order =
        "{\"type\": \"order\", \"request\": \"r\", \"slot\": 1, \"id\": 1, \"at\": 1767225660,"
            + " \"total\": "
            + value
            + "}";
    Parsed<Feedback> read = reader.feedback(bytes(order), "shop").get(1);
    assertThat(read.event() == null ? Double.NaN : read.event().value())
        .isEqualTo(Double.valueOf(amount));
  }
}
