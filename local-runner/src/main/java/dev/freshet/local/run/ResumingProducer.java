package dev.freshet.local.run;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.job.events.MessageParser;
import dev.freshet.local.broker.Topics;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Utils;

/**
 * Writes a deterministic sequence of messages exactly once, however often it is started: what a
 * partition holds already is a prefix of that partition's share of the sequence, so that many of
 * its messages are skipped.
 */
public final class ResumingProducer implements AutoCloseable {

  private final KafkaProducer<byte[], byte[]> producer;
  private final Map<TopicPartition, Long> toSkip;
  private final Map<String, Integer> partitions = new HashMap<>();
  private final AtomicReference<Exception> failure = new AtomicReference<>();
  private long skipped;

  public ResumingProducer(Pipeline pipeline, Topics topics)
      throws ExecutionException, InterruptedException {
    toSkip = new HashMap<>(topics.ends(topics.eventTopics()));
    toSkip.keySet().forEach(p -> partitions.merge(p.topic(), 1, Integer::sum));
    Map<String, Object> settings = new HashMap<>(pipeline.kafka().properties());
    settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, pipeline.kafka().bootstrap());
    settings.put(ProducerConfig.LINGER_MS_CONFIG, 20);
    settings.put(ProducerConfig.BATCH_SIZE_CONFIG, 64 * 1024);
    settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
    producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  /**
   * The next message of the sequence.
   *
   * @param arrived when it arrived by the clock of the data, epoch milliseconds; below zero if that
   *     is not known. Kafka's own time stays that of the writing, by which freshness is told
   * @return whether it was sent; false if it is there already
   * @throws IllegalStateException if an earlier message could not be written
   */
  public boolean send(String topic, String key, byte[] value, long arrived) {
    if (failure.get() != null) {
      throw new IllegalStateException("an event could not be written", failure.get());
    }
    byte[] keyBytes = key.getBytes(StandardCharsets.UTF_8);
    int partition = Utils.toPositive(Utils.murmur2(keyBytes)) % partitions.get(topic);
    TopicPartition to = new TopicPartition(topic, partition);
    long left = toSkip.get(to);
    if (left > 0) {
      toSkip.put(to, left - 1);
      skipped++;
      return false;
    }
    ProducerRecord<byte[], byte[]> message =
        new ProducerRecord<>(topic, partition, keyBytes, value);
    if (arrived >= 0) {
      message
          .headers()
          .add(MessageParser.ARRIVED, Long.toString(arrived).getBytes(StandardCharsets.US_ASCII));
    }
    producer.send(
        message,
        (metadata, error) -> {
          if (error != null) {
            failure.compareAndSet(null, error);
          }
        });
    return true;
  }

  /** Messages that were there already. */
  public long skipped() {
    return skipped;
  }

  @Override
  public void close() {
    producer.close();
  }
}
