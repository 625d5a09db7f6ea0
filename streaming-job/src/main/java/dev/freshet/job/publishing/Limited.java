package dev.freshet.job.publishing;

import dev.freshet.job.metrics.EventMetrics;
import dev.freshet.job.metrics.MetricStep;
import dev.freshet.job.metrics.StepMetrics;
import java.io.Serializable;
import java.util.Properties;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.metrics.Counter;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/** Makes messages of values, none larger than their topic takes; those that were are counted. */
final class Limited<T> implements KafkaRecordSerializationSchema<T> {

  /** Makes the message of a value. */
  interface Messages<T> extends Serializable {
    ProducerRecord<byte[], byte[]> of(T value);

    /**
     * The message of a value whose own is too large.
     *
     * @param whole its own
     * @return null to send none
     */
    default @Nullable ProducerRecord<byte[], byte[]> smaller(
        T value, ProducerRecord<byte[], byte[]> whole, MessageLimit limit) {
      return limit.fit(whole);
    }
  }

  private final Properties properties;
  private final String topic;
  private final Messages<T> messages;

  private transient MessageLimit limit;
  private transient Counter truncated;

  /**
   * @param properties of the topic's producer and of who asks for its settings
   */
  Limited(Properties properties, String topic, Messages<T> messages) {
    this.properties = properties;
    this.topic = topic;
    this.messages = messages;
  }

  @Override
  public void open(SerializationSchema.InitializationContext context, KafkaSinkContext sink)
      throws InterruptedException {
    limit = MessageLimit.of(properties, topic);
    if (truncated == null) { // the connector's writer begins with this twice
      truncated =
          StepMetrics.of(MetricStep.SINK, context.getMetricGroup()).counter(EventMetrics.TRUNCATED);
    }
  }

  @Override
  public @Nullable ProducerRecord<byte[], byte[]> serialize(
      T value, KafkaSinkContext context, @Nullable Long time) {
    ProducerRecord<byte[], byte[]> whole = messages.of(value);
    if (limit.takes(whole)) {
      return whole;
    }
    truncated.inc();
    return messages.smaller(value, whole, limit);
  }
}
