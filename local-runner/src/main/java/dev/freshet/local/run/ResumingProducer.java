package dev.freshet.local.run;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.job.events.MessageParser;
import dev.freshet.local.broker.Topics;
import java.io.IOException;
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
final class ResumingProducer implements AutoCloseable {

  private final KafkaProducer<byte[], byte[]> producer;
  private final Map<TopicPartition, Long> toSkip;
  private final Map<String, Integer> partitions = new HashMap<>();
  private final AtomicReference<Exception> failure = new AtomicReference<>();
  private long skipped;

  /**
   * @param from messages that each partition held before the first of the sequence
   */
  ResumingProducer(Pipeline pipeline, Topics topics, Map<TopicPartition, Long> from)
      throws ExecutionException, InterruptedException {
    toSkip = new HashMap<>(topics.ends(topics.eventTopics()));
    toSkip.replaceAll((partition, end) -> end - from.getOrDefault(partition, 0L));
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
   * @return true if it was sent; false if it is there already
   * @throws IOException if an earlier message could not be written
   */
  boolean send(String topic, String key, byte[] value, long arrived) throws IOException {
    checkWritten();
    byte[] keyBytes = key.getBytes(StandardCharsets.UTF_8);
    int partition =
        Utils.toPositive(Utils.murmur2(keyBytes)) % requireNonNull(partitions.get(topic));
    TopicPartition to = new TopicPartition(topic, partition);
    long left = requireNonNull(toSkip.get(to));
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
  long skipped() {
    return skipped;
  }

  /**
   * Waits until all of it is written.
   *
   * @throws IOException if something could not be
   */
  void flush() throws IOException {
    producer.flush();
    checkWritten();
  }

  private void checkWritten() throws IOException {
    if (failure.get() != null) {
      throw new IOException("an event could not be written", failure.get());
    }
  }

  @Override
  public void close() {
    producer.close();
  }
}
