package dev.freshet.local.run;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.local.broker.Topics;
import dev.freshet.replica.CommittedConsumers;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;

/** Reads a topic from the beginning on a thread of its own, committed messages only. */
final class TopicFollower implements AutoCloseable {

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Consumer<ConsumerRecord<byte[], byte[]>> action;
  private final Thread thread;
  private final List<TopicPartition> partitions;
  private final String topic;
  private final Map<TopicPartition, Long> positions = new ConcurrentHashMap<>();
  private volatile @Nullable RuntimeException failure;
  private volatile boolean closing;

  TopicFollower(Pipeline pipeline, String topic, Consumer<ConsumerRecord<byte[], byte[]>> action) {
    this.action = action;
    this.topic = topic;
    consumer = CommittedConsumers.open(pipeline, Map.of());
    partitions =
        consumer.partitionsFor(topic).stream()
            .map((PartitionInfo p) -> new TopicPartition(topic, p.partition()))
            .toList();
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
    thread = new Thread(this::run, "follow-" + topic);
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    try (consumer) {
      while (!closing) {
        consumer.poll(Duration.ofMillis(200)).forEach(action);
        for (TopicPartition partition : partitions) {
          positions.put(partition, consumer.position(partition));
        }
      }
    } catch (WakeupException | InterruptException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      failure = e;
    }
  }

  /**
   * Waits until all that these topics hold has been read.
   *
   * <p>A transaction that is committed may still be hidden for a moment, until the broker has
   * written so into each partition; hence this waits for the end of the log, not for that of what
   * can be read now.
   *
   * @param patience how long to wait while nothing comes
   * @return true if it has been; not if somebody's transaction stays open
   * @throws IOException if reading has failed
   */
  static boolean catchUp(Topics topics, Duration patience, TopicFollower... followers)
      throws IOException, InterruptedException, ExecutionException {
    boolean all = true;
    for (TopicFollower follower : followers) {
      all &= follower.awaitOffsets(topics.ends(Set.of(follower.topic)), patience);
    }
    return all;
  }

  private boolean awaitOffsets(Map<TopicPartition, Long> ends, Duration patience)
      throws IOException, InterruptedException {
    Map<TopicPartition, Long> seen = Map.of();
    long deadline = System.nanoTime() + patience.toNanos();
    while (!reached(ends)) {
      if (!thread.isAlive()) {
        throw new IOException("topic " + topic + " could not be read", failure);
      }
      Map<TopicPartition, Long> now = Map.copyOf(positions);
      if (!now.equals(seen)) {
        seen = now;
        deadline = System.nanoTime() + patience.toNanos();
      } else if (System.nanoTime() > deadline) {
        return false;
      }
      TimeUnit.MILLISECONDS.sleep(20);
    }
    return true;
  }

  private boolean reached(Map<TopicPartition, Long> ends) {
    return ends.entrySet().stream()
        .allMatch(end -> positions.getOrDefault(end.getKey(), 0L) >= end.getValue());
  }

  @Override
  public void close() {
    closing = true;
    try {
      thread.join(Duration.ofSeconds(5).toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
