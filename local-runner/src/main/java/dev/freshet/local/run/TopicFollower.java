package dev.freshet.local.run;

import dev.freshet.core.pipeline.Pipeline;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads a topic from the beginning on a thread of its own, committed messages only. */
final class TopicFollower implements AutoCloseable {

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Consumer<ConsumerRecord<byte[], byte[]>> action;
  private final Thread thread;
  private final List<TopicPartition> partitions;
  private final Object position = new Object();
  private long read;
  private volatile boolean closing;

  TopicFollower(Pipeline pipeline, String topic, Consumer<ConsumerRecord<byte[], byte[]>> action) {
    this.action = action;
    Map<String, Object> settings = new HashMap<>(pipeline.kafka().properties());
    settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, pipeline.kafka().bootstrap());
    settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
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
        boolean atEnd =
            consumer.endOffsets(partitions).entrySet().stream()
                .allMatch(e -> consumer.position(e.getKey()) >= e.getValue());
        synchronized (position) {
          read = atEnd ? read + 1 : 0;
          position.notifyAll();
        }
      }
    } catch (WakeupException | InterruptException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits until everything that is committed now has been read. */
  void catchUp(Duration timeout) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    synchronized (position) {
      read = 0;
      // The second round began after this call.
      while (read < 2 && thread.isAlive() && System.nanoTime() < deadline) {
        position.wait(100);
      }
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
