package dev.freshet.core.pipeline;

import static dev.freshet.core.pipeline.PipelineChecks.hint;
import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.events.mapping.EventMapping;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.labels.Task;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/** Rules for topics and for the layouts of what is in them. */
final class EventChecks {

  private static final String TOPIC_NAME = "[a-zA-Z0-9._-]{1,249}";

  private EventChecks() {}

  static void all(
      Map<String, String> topics,
      Map<String, EventMapping> events,
      List<Task> tasks,
      List<FeatureField> features) {
    topics(topics, events.keySet(), tasks);
    mapped(topics, events, tasks, features);
  }

  private static void topics(Map<String, String> named, Set<String> mapped, List<Task> tasks) {
    Map<String, String> uses = new LinkedHashMap<>();
    for (SystemTopic topic : SystemTopic.values()) {
      String name = named.getOrDefault(topic.key(), topic.usual());
      if (name != null) {
        uses.put(topic.key(), name);
      }
    }
    Set<String> feedback = new TreeSet<>();
    for (Task task : tasks) {
      feedback.add(task.name());
      uses.putIfAbsent(task.name(), named.getOrDefault(task.name(), task.name()));
    }
    Set<String> known = new TreeSet<>(SystemTopic.keys());
    known.addAll(feedback);
    for (String use : named.keySet()) {
      check(
          known.contains(use),
          "kafka.topics." + use,
          use,
          "one of " + String.join(", ", known) + hint(use, known));
    }
    Map<String, String> users = new HashMap<>();
    uses.forEach(
        (use, topic) -> {
          check(
              topic.matches(TOPIC_NAME) && !topic.matches("\\.\\.?|__.*"),
              "kafka.topics." + use,
              topic,
              "letters, digits, ., _ and -, up to 249; neither . nor .. nor __ at the start");
          // Kafka itself refuses names that differ in . and _ alone: its metrics cannot.
          String other = users.putIfAbsent(topic.replace('.', '_'), use);
          check(
              other == null
                  || feedback.contains(other) && feedback.contains(use)
                  || mapped.contains(other) && mapped.contains(use),
              "kafka.topics." + use,
              topic,
              "a topic that has no other use; " + other + " has this one");
        });
  }

  /** Mappings are of what there is, and of a topic's tasks all have one or none. */
  private static void mapped(
      Map<String, String> topics,
      Map<String, EventMapping> events,
      List<Task> tasks,
      List<FeatureField> features) {
    String impressions = SystemTopic.IMPRESSIONS.key();
    Set<String> uses = new TreeSet<>(Set.of(impressions));
    tasks.forEach(task -> uses.add(task.name()));
    Set<String> fields = new TreeSet<>();
    features.stream().filter(FeatureField::expected).forEach(field -> fields.add(field.name()));
    tasks.stream()
        .map(task -> task.deadline().field())
        .filter(Objects::nonNull)
        .forEach(fields::add);
    events.forEach(
        (use, mapping) -> {
          String at = "events." + use;
          check(uses.contains(use), at, use, "one of " + String.join(", ", uses) + hint(use, uses));
          if (use.equals(impressions)) {
            String not = "nothing, of impressions";
            check(mapping.eventId() == null, at + ".event-id", mapping.eventId(), not);
            check(mapping.value() == null, at + ".value", mapping.value(), not);
          } else {
            String not = "nothing, of feedback";
            check(mapping.features() == null, at + ".features", mapping.features(), not);
            check(mapping.fields().isEmpty(), at + ".fields", mapping.fields(), not);
            check(mapping.served() == null, at + ".served", mapping.served(), not);
          }
          for (String field : mapping.fields().keySet()) {
            check(
                fields.contains(field),
                at + ".fields." + field,
                field,
                "one of " + String.join(", ", fields) + hint(field, fields));
          }
        });
    for (Task task : tasks) {
      for (Task other : tasks) {
        String topic = topics.getOrDefault(task.name(), task.name());
        check(
            events.containsKey(task.name())
                || !events.containsKey(other.name())
                || !topic.equals(topics.getOrDefault(other.name(), other.name())),
            "events." + task.name(),
            null,
            "where its events are in the messages of topic " + topic + ", as of " + other.name());
      }
    }
  }
}
