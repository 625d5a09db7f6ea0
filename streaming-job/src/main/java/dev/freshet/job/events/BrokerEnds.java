package dev.freshet.job.events;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * {@link PartitionEnds} by a consumer of its own, without a group: the one that reads events may be
 * paused or stuck. Messages are fetched only to find out that there are some.
 */
final class BrokerEnds implements PartitionEnds {

  private static final Duration POLL = Duration.ofMillis(100);

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Duration patience;

  /**
   * @param properties of the clients that read events
   * @param patience the longest that an answer may take
   */
  BrokerEnds(Properties properties, Duration patience) {
    this.patience = patience;
    Properties own = new Properties();
    own.putAll(properties);
    // Interceptors are for what is read, and two clients of one id are one name in the metrics.
    own.remove(ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG);
    own.remove(ConsumerConfig.CLIENT_ID_CONFIG);
    own.remove(ConsumerConfig.GROUP_ID_CONFIG);
    own.setProperty(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
    own.setProperty(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    own.setProperty(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    own.setProperty(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, "1");
    own.setProperty(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, "1");
    own.setProperty(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, "10");
    consumer = new KafkaConsumer<>(own, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  @Override
  public Map<TopicPartition, Long> ends(Collection<TopicPartition> partitions) {
    // Not to read: of partitions that are not its own the consumer warns each time that it forgets
    // what it was told.
    consumer.assign(partitions);
    return consumer.endOffsets(partitions, patience);
  }

  @Override
  public boolean nothingBetween(TopicPartition partition, long from, long end) {
    List<TopicPartition> one = List.of(partition);
    consumer.assign(one);
    if (from < 0) {
      consumer.seekToBeginning(one);
    } else {
      consumer.seek(partition, from);
    }
    long limit = System.nanoTime() + patience.toNanos();
    try {
      while (consumer.position(partition, patience) < end) {
        if (!consumer.poll(POLL).isEmpty()) {
          return false;
        }
        if (System.nanoTime() > limit) {
          throw new TimeoutException("no answer about " + partition + " within " + patience);
        }
      }
      return true;
    } finally {
      consumer.unsubscribe();
    }
  }

  @Override
  public void close() {
    consumer.close(org.apache.kafka.clients.consumer.CloseOptions.timeout(Duration.ZERO));
  }
}
