package dev.freshet.local.run;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * Makes trainers slow: whatever they write to the training log, as they do with each batch, takes
 * its time. Kafka's own hook; consumers get the same settings as producers, so it is both kinds of
 * interceptor.
 */
public final class TestingSlowTrainer
    implements ProducerInterceptor<byte[], byte[]>, ConsumerInterceptor<byte[], byte[]> {

  static final String TOPIC = "slow-log";

  private static final int MILLIS = 600;

  @Override
  public ProducerRecord<byte[], byte[]> onSend(ProducerRecord<byte[], byte[]> message) {
    if (message.topic().equals(TOPIC)) {
      try {
        TimeUnit.MILLISECONDS.sleep(MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    return message;
  }

  @Override
  public ConsumerRecords<byte[], byte[]> onConsume(ConsumerRecords<byte[], byte[]> records) {
    return records;
  }

  @Override
  public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {}

  @Override
  public void onAcknowledgement(
      org.apache.kafka.clients.producer.RecordMetadata metadata, Exception exception) {}

  @Override
  public void configure(Map<String, ?> settings) {}

  @Override
  public void close() {}
}
