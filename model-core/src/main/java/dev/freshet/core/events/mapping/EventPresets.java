package dev.freshet.core.events.mapping;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The menu of layouts that are widely used: what a mapping says that does not say it itself. They
 * follow the documentation of each; which of the events are impressions, and what of them is an
 * impression's id, is the user's own.
 */
public enum EventPresets {
  /** Segment's common fields; also RudderStack's, which are the same. */
  SEGMENT(
      Map.of(
          "event-id", ".messageId",
          "event-time", ".timestamp",
          "features", ".properties")),
  RUDDERSTACK(
      Map.of(
          "event-id", ".messageId",
          "event-time", ".timestamp // .originalTimestamp",
          "features", ".properties")),
  POSTHOG(
      Map.of(
          "event-id", ".uuid",
          "event-time", ".timestamp",
          "features", ".properties")),
  /** Snowplow's enriched events, as its analytics SDKs make JSON of them. */
  SNOWPLOW(
      Map.of(
          "event-id", ".event_id",
          "event-time", ".derived_tstamp // .collector_tstamp",
          "time-zone", "UTC",
          "features", ".")),
  /** Rows of the BigQuery export of Google Analytics 4; they have no id of their own. */
  GA4(
      Map.of(
          "event-id",
          "[.user_pseudo_id, .event_timestamp, .event_name, .batch_event_index // 0]"
              + " | map(tostring) | join(\"-\")",
          "event-time",
          ".event_timestamp | tonumber",
          "features",
          "reduce (.event_params // [])[] as $p ({}; .[$p.key] ="
              + " ($p.value | .string_value // .int_value // .double_value // .float_value))"),
      TimeUnits.MICROSECONDS),
  /** Rows that were inserted or read by Debezium, with or without the schema beside them. */
  DEBEZIUM(
      Map.of(
          "each",
          "(if has(\"payload\") then .payload else . end)"
              + " | select(.op == \"c\" or .op == \"r\") | .after",
          "features",
          "."));

  private final Map<String, String> settings;
  private final TimeUnits unit;

  EventPresets(Map<String, String> settings) {
    this(settings, TimeUnits.MILLISECONDS);
  }

  EventPresets(Map<String, String> settings, TimeUnits unit) {
    this.settings = settings;
    this.unit = unit;
  }

  /** Unit of times that are numbers. */
  TimeUnits unit() {
    return unit;
  }

  /** What the preset says under a key of {@link EventMapping}, or null. */
  @Nullable String says(String key) {
    return settings.get(key);
  }
}
