package dev.freshet.core.pipeline;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.events.EventFormats;
import dev.freshet.core.settings.Option;
import java.io.Serializable;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Where events come from and versions go to. */
public record KafkaSettings(
    @Option(value = "Brokers, host:port, separated by commas", fallback = "localhost:9092")
        String bootstrap,
    @Option(
            value =
                "Names of topics: `impressions`, one for each task (default: the task's name),"
                    + " `models`, `metrics`, `dead-letters`; `examples` and `training-log` are"
                    + " written only if they are named here",
            fallback = "")
        Map<String, String> topics,
    @Option(value = "Format of events", fallback = "json") EventFormats format,
    @Option(
            value =
                "Where a job begins to read that goes on from no checkpoint: `earliest`, `latest`, or a"
                    + " time (ISO-8601 with a zone), at the first messages that Kafka got then or later",
            fallback = EARLIEST)
        String start,
    @Option(
            value =
                "Copies of each topic that is made, on a broker each; 3 where data matters. Default:"
                    + " the brokers'. A job warns of topics with fewer",
            fallback = Option.ABSENT)
        @Nullable Integer replicationFactor,
    @Option(
            value =
                "`min.insync.replicas` of each topic that is made: copies that have a message before"
                    + " it counts as written; 2 of 3 where data matters. Default: the brokers'. A job"
                    + " warns of topics with fewer",
            fallback = Option.ABSENT)
        @Nullable Integer minInsyncReplicas,
    @Option(
            value =
                "Further settings for every Kafka client, such as security; never shown. Secrets"
                    + " stand in them as references: `${env:NAME}`, `${file:PATH:KEY}`,"
                    + " `${dir:FOLDER:FILE}`, or any of your `config.providers`",
            fallback = "",
            secret = true)
        Map<String, String> properties,
    @Option(
            value = "`properties` may hold secrets themselves, instead of references",
            fallback = "false")
        boolean plainSecrets)
    implements Serializable {

  /** {@code start} at the oldest messages that are there. */
  public static final String EARLIEST = "earliest";

  /** {@code start} behind the newest messages. */
  public static final String LATEST = "latest";

  /** The providers of references that need not be declared. */
  private static final Map<String, String> PROVIDERS =
      new TreeMap<>(
          Map.of(
              "env", "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
              "file", "org.apache.kafka.common.config.provider.FileConfigProvider",
              "dir", "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
              "directory", "org.apache.kafka.common.config.provider.DirectoryConfigProvider"));

  private static final String DECLARED = "config.providers";

  private static final Pattern BROKERS =
      Pattern.compile("\\s*" + broker() + "(\\s*,\\s*" + broker() + ")*\\s*");

  /** Settings that Freshet makes itself, because its guarantees hang on it. */
  private static final Set<String> OURS =
      Set.of(
          "bootstrap.servers",
          "enable.auto.commit",
          "group.id",
          "isolation.level",
          "key.deserializer",
          "key.serializer",
          "transactional.id",
          "value.deserializer",
          "value.serializer");

  public KafkaSettings {
    topics = new TreeMap<>(topics);
    properties = withProviders(properties);
    check(
        replicationFactor == null || replicationFactor >= 1 && replicationFactor <= Short.MAX_VALUE,
        "replication-factor",
        replicationFactor,
        "1 or more");
    check(
        minInsyncReplicas == null || minInsyncReplicas >= 1,
        "min-insync-replicas",
        minInsyncReplicas,
        "1 or more");
    check(
        minInsyncReplicas == null
            || replicationFactor == null
            || minInsyncReplicas <= replicationFactor,
        "min-insync-replicas",
        minInsyncReplicas,
        "at most replication-factor");
    check(
        start.equals(EARLIEST) || start.equals(LATEST) || time(start).isPresent(),
        "start",
        start,
        "earliest, latest, or a time such as 2026-01-31T00:00:00Z");
    check(
        BROKERS.matcher(bootstrap).matches(),
        "bootstrap",
        bootstrap.contains("@") ? "(not shown)" : bootstrap,
        "host:port, separated by commas");
    for (String key : properties.keySet()) {
      check(!OURS.contains(key), "properties." + key, key, "anything but what Freshet sets itself");
    }
  }

  /** The properties, and the providers of Kafka's own that they refer to without saying so. */
  public static Map<String, String> withProviders(Map<String, String> given) {
    Map<String, String> all = new TreeMap<>(given);
    Set<String> declared = new LinkedHashSet<>();
    for (String name : given.getOrDefault(DECLARED, "").split(",")) {
      if (!name.isBlank()) {
        declared.add(name.strip());
      }
    }
    for (Map.Entry<String, String> provider : PROVIDERS.entrySet()) {
      String name = provider.getKey();
      boolean used = given.values().stream().anyMatch(v -> v.contains("${" + name + ":"));
      if (used && declared.add(name)) {
        all.put(DECLARED + "." + name + ".class", provider.getValue());
      }
    }
    if (!declared.isEmpty()) {
      all.put(DECLARED, String.join(",", declared));
    }
    return all;
  }

  /** The time of {@code start}, if it is one. */
  public Optional<Instant> startTime() {
    return time(start);
  }

  private static Optional<Instant> time(String text) {
    try {
      return Optional.of(DateTimeFormatter.ISO_OFFSET_DATE_TIME.parse(text, Instant::from));
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }

  /** The same, begun elsewhere. */
  KafkaSettings withStart(String other) {
    return new KafkaSettings(
        bootstrap,
        topics,
        format,
        other,
        replicationFactor,
        minInsyncReplicas,
        properties,
        plainSecrets);
  }

  /** The same on other brokers. */
  KafkaSettings withBootstrap(String other) {
    return new KafkaSettings(
        other,
        topics,
        format,
        start,
        replicationFactor,
        minInsyncReplicas,
        properties,
        plainSecrets);
  }

  /** The same on a single broker, which holds one replica of everything. */
  KafkaSettings onOneBroker(String other) {
    return new KafkaSettings(other, topics, format, start, null, null, properties, plainSecrets);
  }

  /** The same with other topics. */
  KafkaSettings withTopics(Map<String, String> other) {
    return new KafkaSettings(
        bootstrap,
        other,
        format,
        start,
        replicationFactor,
        minInsyncReplicas,
        properties,
        plainSecrets);
  }

  private static String broker() {
    return "([A-Za-z][A-Za-z_]*://)?(\\[[0-9A-Fa-f:.%]+]|[0-9A-Za-z._-]+):"
        + "([1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])";
  }

  /** Tells which properties there are, and of none what it says: it may be a password. */
  @Override
  public String toString() {
    return "KafkaSettings[bootstrap=%s, topics=%s, format=%s, properties=%s]"
        .formatted(bootstrap, topics, format, properties.keySet());
  }
}
