package dev.freshet.replica;

import dev.freshet.core.pipeline.Pipeline;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Consumers for what the job writes in transactions: committed messages only, no group. */
public final class CommittedConsumers {

  private CommittedConsumers() {}

  /**
   * @param defaults settings for keys that the pipeline's own Kafka properties leave open
   */
  public static KafkaConsumer<byte[], byte[]> open(
      Pipeline pipeline, Map<String, Object> defaults) {
    Map<String, Object> settings = new HashMap<>(defaults);
    settings.putAll(pipeline.kafka().properties());
    settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, pipeline.kafka().bootstrap());
    settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }
}
