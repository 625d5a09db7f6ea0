package dev.freshet.topics;

import dev.freshet.core.pipeline.Pipeline;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;

/** Settings that all clients of a pipeline have in common. */
final class KafkaClients {

  /** How long a broker may take to answer before it counts as not there. */
  private static final int ANSWER_MS = 15_000;

  private KafkaClients() {}

  static Map<String, Object> settings(Pipeline pipeline) {
    Map<String, Object> settings = new HashMap<>(pipeline.kafka().properties());
    settings.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, pipeline.kafka().bootstrap());
    settings.put(CommonClientConfigs.DEFAULT_API_TIMEOUT_MS_CONFIG, ANSWER_MS);
    settings.put(CommonClientConfigs.REQUEST_TIMEOUT_MS_CONFIG, ANSWER_MS);
    return settings;
  }
}
