package dev.freshet.local.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.labels.DropReason;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/**
 * Counts of the dead-letter topic: how many of each reason and kind of event, and the first of each
 * reason. Knows no list of reasons: whatever the job gives as one is told.
 */
final class DeadLetters {

  /** Kind of dead letters that were impressions, or would have been. */
  static final String IMPRESSION = "impression";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String FEATURES = "features.";
  private static final int SAMPLE = 300;

  /**
   * The first message with a reason.
   *
   * @param kind {@link #IMPRESSION}, a task's name, or empty if it cannot be told
   * @param topic empty for an event that had been parsed
   * @param error field, value, what is allowed
   * @param value the message, cut
   */
  record Sample(
      String kind, String topic, int partition, long offset, String error, String value) {}

  private final Pipeline pipeline;
  private final Map<String, Map<String, Long>> counts = new TreeMap<>();
  private final Map<String, Sample> samples = new LinkedHashMap<>();
  private final Map<String, Long> fields = new TreeMap<>();
  private final Map<String, Long> orphans = new TreeMap<>();
  private final Map<String, Sample> orphanSamples = new TreeMap<>();

  DeadLetters(Pipeline pipeline) {
    this.pipeline = pipeline;
  }

  synchronized void add(ConsumerRecord<byte[], byte[]> letter) {
    String reason = header(letter, "freshet.reason");
    String kind = kind(letter);
    counts.computeIfAbsent(reason, r -> new TreeMap<>()).merge(kind, 1L, Long::sum);
    String field = header(letter, "freshet.field");
    if (field.startsWith(FEATURES)) {
      fields.merge(field.substring(FEATURES.length()), 1L, Long::sum);
    }
    samples.computeIfAbsent(reason, first -> sample(kind, letter));
    if (reason.equals(DropReason.ORPHANED.label())) {
      String cause = header(letter, "freshet.error").split(":")[0];
      orphans.merge(cause, 1L, Long::sum);
      orphanSamples.computeIfAbsent(cause, first -> sample(kind, letter));
      // The sample of orphans explains most of them.
      samples.put(
          reason,
          orphanSamples.get(
              Collections.max(orphans.entrySet(), Map.Entry.comparingByValue()).getKey()));
    }
  }

  private static Sample sample(String kind, ConsumerRecord<byte[], byte[]> letter) {
    return new Sample(
        kind,
        header(letter, "freshet.topic"),
        (int) number(letter, "freshet.partition"),
        number(letter, "freshet.offset"),
        header(letter, "freshet.error"),
        cut(letter.value()));
  }

  /** How many of each reason. */
  synchronized Map<String, Long> byReason() {
    Map<String, Long> sums = new TreeMap<>();
    counts.forEach((reason, kinds) -> sums.put(reason, sum(kinds)));
    return sums;
  }

  /** How many of each kind of event and, of these, of each reason. */
  synchronized Map<String, Map<String, Long>> byKind() {
    Map<String, Map<String, Long>> kinds = new TreeMap<>();
    counts.forEach(
        (reason, of) ->
            of.forEach(
                (kind, count) ->
                    kinds.computeIfAbsent(kind, k -> new TreeMap<>()).put(reason, count)));
    return kinds;
  }

  /** How many impressions were refused because of each feature field. */
  synchronized Map<String, Long> byField() {
    return new TreeMap<>(fields);
  }

  /** How many are orphaned for each cause. */
  synchronized Map<String, Long> orphans() {
    return new TreeMap<>(orphans);
  }

  /** The first that is orphaned of each cause. */
  synchronized Map<String, Sample> orphanSamples() {
    return new TreeMap<>(orphanSamples);
  }

  /** The first message of each reason; of orphans, of their most frequent cause. */
  synchronized Map<String, Sample> samples() {
    return Map.copyOf(samples);
  }

  private static long sum(Map<String, Long> kinds) {
    return kinds.values().stream().mapToLong(Long::longValue).sum();
  }

  private String kind(ConsumerRecord<byte[], byte[]> letter) {
    String told = header(letter, "freshet.kind");
    if (!told.isEmpty()) {
      return told;
    }
    String topic = header(letter, "freshet.topic");
    if (topic.equals(pipeline.topic(SystemTopic.IMPRESSIONS))
        && !pipeline.feedbackTopics().containsKey(topic)) {
      return IMPRESSION;
    }
    String only = pipeline.feedbackTopics().get(topic);
    if (only != null) {
      return only;
    }
    JsonNode json = json(letter.value());
    String said = json.path("kind").asText("");
    if (pipeline.tasks().stream().anyMatch(task -> task.name().equals(said))) {
      return said;
    }
    // What the join leaves out has no topic; only feedback has an id of its own.
    return topic.isEmpty() && json.has("impression_id") && !json.has("event_id") ? IMPRESSION : "";
  }

  private static JsonNode json(byte @Nullable [] value) {
    try {
      return value == null ? JSON.missingNode() : JSON.readTree(value);
    } catch (IOException e) {
      return JSON.missingNode(); // That is why it is here.
    }
  }

  private static String cut(byte @Nullable [] value) {
    if (value == null) {
      return "";
    }
    String text = new String(value, 0, Math.min(value.length, SAMPLE), StandardCharsets.UTF_8);
    return value.length > SAMPLE ? text + "..." : text;
  }

  private static long number(ConsumerRecord<byte[], byte[]> letter, String key) {
    String text = header(letter, key);
    return text.matches("-?\\d{1,18}") ? Long.parseLong(text) : -1;
  }

  static String header(ConsumerRecord<byte[], byte[]> record, String key) {
    Header header = record.headers().lastHeader(key);
    return header == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
  }
}
