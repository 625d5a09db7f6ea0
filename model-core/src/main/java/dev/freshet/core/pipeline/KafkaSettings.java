package dev.freshet.core.pipeline;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.events.EventFormats;
import dev.freshet.core.settings.Option;
import java.io.Serializable;
import java.util.Map;
import java.util.TreeMap;

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
    @Option(value = "Further settings for every Kafka client, such as security", fallback = "")
        Map<String, String> properties)
    implements Serializable {

  /** Topics that exist besides those of the tasks. */
  static final Map<String, String> DEFAULTS =
      Map.of(
          "impressions", "impressions",
          "models", "models",
          "metrics", "training-metrics",
          "dead-letters", "dead-letters");

  static final String EXAMPLES = "examples";
  static final String TRAINING_LOG = "training-log";

  public KafkaSettings {
    check(!bootstrap.isBlank(), "bootstrap", bootstrap, "host:port");
    topics = new TreeMap<>(topics);
    properties = new TreeMap<>(properties);
  }
}
