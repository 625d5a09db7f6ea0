package dev.freshet.core.events.mapping;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.settings.EnumNames;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each preset reads a message as the documentation of its system shows one. */
class EventPresetsTest {

  private static final long TIME = Instant.parse("2026-01-01T00:00:00Z").toEpochMilli();

  /** A message, how its impression is named, and what tells its event apart. */
  private record Sample(String message, String impression, String event) {}

  private static final Map<EventPresets, Sample> SAMPLES =
      Map.of(
          EventPresets.SEGMENT,
          new Sample(
              """
              {"type": "track", "event": "Product Clicked", "messageId": "m1", "userId": "u7",
               "timestamp": "2026-01-01T00:00:00.000Z", "context": {"ip": "::1"},
               "properties": {"view": "i1", "user": "u7", "price": 9.5}}
              """,
              ".properties.view",
              "m1"),
          EventPresets.RUDDERSTACK,
          new Sample(
              """
              {"type": "track", "event": "Product Clicked", "messageId": "m1", "channel": "web",
               "originalTimestamp": "2026-01-01T00:00:00Z",
               "properties": {"view": "i1", "user": "u7", "price": 9.5}}
              """,
              ".properties.view",
              "m1"),
          EventPresets.POSTHOG,
          new Sample(
              """
              {"uuid": "m1", "event": "clicked", "distinct_id": "d", "timestamp": "2026-01-01T00:00:00Z",
               "properties": {"view": "i1", "user": "u7", "price": 9.5}}
              """,
              ".properties.view",
              "m1"),
          EventPresets.SNOWPLOW,
          new Sample(
              """
              {"app_id": "shop", "event_id": "m1", "collector_tstamp": "2026-01-01T00:00:09.000Z",
               "derived_tstamp": "2026-01-01T00:00:00.000", "user": "u7", "price": 9.5,
               "unstruct_event_com_acme_view_1": {"view": "i1"}}
              """,
              ".unstruct_event_com_acme_view_1.view",
              "m1"),
          EventPresets.GA4,
          new Sample(
              """
              {"event_date": "20260101", "event_timestamp": "1767225600000000", "event_name": "select_item",
               "user_pseudo_id": "1.2", "batch_event_index": 3, "event_params": [
                {"key": "view", "value": {"string_value": "i1", "int_value": null}},
                {"key": "user", "value": {"string_value": "u7"}},
                {"key": "price", "value": {"string_value": null, "double_value": 9.5}}]}
              """,
              "(.event_params[] | select(.key == \"view\")).value.string_value",
              "1.2-1767225600000000-select_item-3"),
          EventPresets.DEBEZIUM,
          new Sample(
              """
              {"schema": {}, "payload": {"op": "c", "ts_ms": 1, "before": null, "after":
                {"id": "m1", "view": "i1", "event_id": "m1", "event_time": 1767225600000, "user": "u7",
                 "price": 9.5}}}
              """,
              ".view",
              "m1"));

  @ParameterizedTest
  @EnumSource
  void readsAMessage(EventPresets preset) {
    Sample sample = requireNonNull(SAMPLES.get(preset), "each preset has a sample");
    String mapping =
        "{preset: %s, impression-id: '%s'}".formatted(EnumNames.of(preset), sample.impression);
    MessageReader reader =
        PipelineFile.parse(
                """
                pipeline: preset
                tasks: [{name: click, kind: binary, window: 10m}]
                features:
                  - {name: user, kind: categorical}
                  - {name: price, kind: numeric}
                models: [{name: main, kind: shared-bottom}]
                events: {impressions: %s, click: %s}
                """
                    .formatted(mapping, mapping),
                "test")
            .messages();
    byte[] message = sample.message.getBytes(StandardCharsets.UTF_8);
    List<Parsed<Impression>> impressions = reader.impressions(message);
    assertThat(impressions).hasSize(1);
    Impression impression = requireNonNull(impressions.get(0).event());
    assertThat(impression.id()).isEqualTo("i1");
    assertThat(impression.eventTime()).isEqualTo(TIME);
    assertThat(reader.fieldCounts().count(0, FieldCounts.Kind.ABSENT)).isZero();
    assertThat(reader.feedback(message, "click"))
        .containsExactly(Parsed.of(new Feedback("i1", sample.event, 0, TIME, 1)));
  }
}
