package dev.freshet.local.sample;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Nearest;
import dev.freshet.replica.CommittedConsumers;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** What a topic holds now, from its beginning on; of several partitions as the brokers send it. */
public final class TopicMessages implements MessageSource {

  private static final Duration POLL = Duration.ofMillis(500);

  /** A transaction that somebody left open hides what follows. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final String topic;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Map<TopicPartition, Long> left;
  private final Deque<ConsumerRecord<byte[], byte[]>> polled = new ArrayDeque<>();

  /**
   * @param pipeline whose brokers and Kafka properties are used
   * @throws NothingFoundException if there is no such topic, or none that may be read
   */
  public TopicMessages(Pipeline pipeline, String topic) throws NothingFoundException {
    this.topic = topic;
    consumer =
        CommittedConsumers.open(
            pipeline, Map.of(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false"));
    List<TopicPartition> partitions = partitions();
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
    left = new HashMap<>(consumer.endOffsets(partitions));
  }

  private List<TopicPartition> partitions() throws NothingFoundException {
    Map<String, List<PartitionInfo>> there = consumer.listTopics();
    if (!there.containsKey(topic)) {
      consumer.close();
      throw new NothingFoundException(
          "'" + topic + "': no such file, and no such topic" + Nearest.hint(topic, there.keySet()));
    }
    return there.get(topic).stream()
        .map(one -> new TopicPartition(topic, one.partition()))
        .toList();
  }

  @Override
  public String name() {
    return topic;
  }

  @Override
  public @Nullable Message next() {
    long patience = System.nanoTime() + PATIENCE.toNanos();
    while (polled.isEmpty()) {
      left.entrySet().removeIf(end -> consumer.position(end.getKey()) >= end.getValue());
      if (left.isEmpty() || System.nanoTime() > patience) {
        return null;
      }
      consumer.poll(POLL).forEach(polled::add);
    }
    ConsumerRecord<byte[], byte[]> record = polled.remove();
    return new Message(
        record.value(),
        "partition " + record.partition() + ", offset " + record.offset(),
        record.partition(),
        false);
  }

  @Override
  public boolean whole() {
    return left.isEmpty();
  }

  @Override
  public void close() throws IOException {
    consumer.close();
  }
}
