package dev.freshet.core.pipeline;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.events.EventFormats;
import dev.freshet.core.settings.Option;
import java.io.Serializable;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

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
            value = "Further settings for every Kafka client, such as security; never shown",
            fallback = "",
            secret = true)
        Map<String, String> properties)
    implements Serializable {

  private static final Pattern BROKERS =
      Pattern.compile("\\s*" + broker() + "(\\s*,\\s*" + broker() + ")*\\s*");

  /** What Freshet sets itself, because its guarantees hang on it. */
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
    properties = new TreeMap<>(properties);
    check(
        BROKERS.matcher(bootstrap).matches(),
        "bootstrap",
        bootstrap.contains("@") ? "(not shown)" : bootstrap,
        "host:port, separated by commas");
    for (String key : properties.keySet()) {
      check(!OURS.contains(key), "properties." + key, key, "anything but what Freshet sets itself");
    }
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
