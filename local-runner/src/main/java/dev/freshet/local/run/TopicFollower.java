package dev.freshet.local.run;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.replica.CommittedConsumers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;

/** Reads a topic from the beginning on a thread of its own, committed messages only. */
final class TopicFollower implements AutoCloseable {

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Consumer<ConsumerRecord<byte[], byte[]>> action;
  private final Thread thread;
  private final List<TopicPartition> partitions;
  private final Object position = new Object();
  private long read;
  private volatile boolean awaited;
  private volatile boolean closing;

  TopicFollower(Pipeline pipeline, String topic, Consumer<ConsumerRecord<byte[], byte[]>> action) {
    this.action = action;
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
        if (awaited) {
          countRoundsAtEnd();
        }
      }
    } catch (WakeupException | InterruptException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void countRoundsAtEnd() {
    boolean atEnd =
        consumer.endOffsets(partitions).entrySet().stream()
            .allMatch(e -> consumer.position(e.getKey()) >= e.getValue());
    synchronized (position) {
      read = atEnd ? read + 1 : 0;
      position.notifyAll();
    }
  }

  /** Waits until everything that is committed now has been read. */
  void catchUp(Duration timeout) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    synchronized (position) {
      read = 0;
      awaited = true;
      // The second round began after this call.
      while (read < 2 && thread.isAlive() && System.nanoTime() < deadline) {
        position.wait(100);
      }
      awaited = false;
    }
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
