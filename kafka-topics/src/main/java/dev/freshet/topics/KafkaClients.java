package dev.freshet.topics;

import dev.freshet.core.pipeline.Pipeline;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The clients with which Kafka is asked before anything runs: they do not wait for long. */
final class KafkaClients {

  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private KafkaClients() {}

  /**
   * How long a broker may take to answer before it counts as not there: {@code
   * default.api.timeout.ms} of the pipeline's properties, or 10 s.
   */
  static Duration patience(Pipeline pipeline) {
    String set =
        pipeline.kafka().properties().get(CommonClientConfigs.DEFAULT_API_TIMEOUT_MS_CONFIG);
    return set == null ? PATIENCE : Duration.ofMillis(Long.parseLong(set.strip()));
  }

  /** For admin clients and consumers. */
  static Map<String, Object> settings(Pipeline pipeline) {
    int patience = Math.toIntExact(patience(pipeline).toMillis());
    Map<String, Object> settings = new HashMap<>(pipeline.kafka().properties());
    settings.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, pipeline.kafka().bootstrap());
    settings.put(CommonClientConfigs.DEFAULT_API_TIMEOUT_MS_CONFIG, patience);
    // Whatever the pipeline says of a request is meant for the job, and must not exceed the whole.
    settings.put(CommonClientConfigs.REQUEST_TIMEOUT_MS_CONFIG, patience);
    return settings;
  }

  /**
   * A producer that waits for all replicas.
   *
   * @param further settings
   */
  static KafkaProducer<byte[], byte[]> producer(Pipeline pipeline, Map<String, Object> further) {
    Map<String, Object> settings = settings(pipeline);
    Object patience = settings.remove(CommonClientConfigs.DEFAULT_API_TIMEOUT_MS_CONFIG);
    settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, patience);
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    settings.putAll(further);
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }
}
