package dev.freshet.replica.server;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.replica.CommittedConsumers;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows what a model's trainer says on the metrics topic, where alone it says which versions it
 * holds back. Nothing else of the server hangs on it: without the topic, or the right to read it,
 * nothing is known to be held back.
 */
final class GateWatch implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(GateWatch.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration POLL = Duration.ofSeconds(1);
  private static final Duration ANSWER = Duration.ofSeconds(5);
  private static final long PAUSE_SECONDS = 10;

  /** Trainers speak once a second; so far back the newest word of each of many is. */
  private static final long TAIL = 1000;

  private final Pipeline pipeline;
  private final String model;
  private final String topic;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Thread thread;
  private final CountDownLatch closing = new CountDownLatch(1);
  private volatile @Nullable HeldBack heldBack;
  private long newest = Long.MIN_VALUE;
  private boolean refusalTold;

  GateWatch(Pipeline pipeline, String model) {
    this.pipeline = pipeline;
    this.model = model;
    topic = pipeline.topic(SystemTopic.METRICS);
    consumer =
        CommittedConsumers.open(
            pipeline, Map.of(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false));
    thread = new Thread(this::run, "gate-" + model);
    thread.setDaemon(true);
    thread.start();
  }

  /** The version that is held back, as far as that is known. */
  Optional<HeldBack> heldBack() {
    return Optional.ofNullable(heldBack);
  }

  private void run() {
    try (consumer) {
      boolean found = false;
      while (closing.getCount() > 0) {
        try {
          found = found || find();
          if (found) {
            consumer.poll(POLL).forEach(this::accept);
          } else {
            pause();
          }
        } catch (WakeupException e) {
          LOG.debug("Woken up to close");
        } catch (KafkaException e) {
          tell(e);
          pause();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean find() {
    List<TopicPartition> partitions =
        consumer.partitionsFor(topic, ANSWER).stream()
            .map(partition -> new TopicPartition(topic, partition.partition()))
            .toList();
    if (partitions.isEmpty()) {
      return false;
    }
    Map<TopicPartition, Long> begin = consumer.beginningOffsets(partitions, ANSWER);
    Map<TopicPartition, Long> end = consumer.endOffsets(partitions, ANSWER);
    consumer.assign(partitions);
    partitions.forEach(
        one ->
            consumer.seek(
                one,
                Math.max(requireNonNull(begin.get(one)), requireNonNull(end.get(one)) - TAIL)));
    return true;
  }

  private void accept(ConsumerRecord<byte[], byte[]> message) {
    try {
      JsonNode record = JSON.readTree(message.value());
      String of = record.path("pipeline").asText(pipeline.pipeline());
      long time = record.path("time").asLong();
      // Records of an earlier run may come once more after a failure.
      if (record.path("model").asText().equals(model)
          && of.equals(pipeline.pipeline())
          && time >= newest) {
        newest = time;
        JsonNode held = record.get("heldBack");
        heldBack =
            held == null
                ? null
                : new HeldBack(
                    held.path("versions").asLong(),
                    held.path("step").asLong(),
                    held.path("reason").asText(),
                    held.path("detail").asText(),
                    time);
      }
    } catch (IOException | IllegalArgumentException e) {
      LOG.debug("{} offset {} is no metrics record", topic, message.offset(), e);
    }
  }

  private void tell(KafkaException failure) {
    if (failure instanceof AuthorizationException && !refusalTold) {
      refusalTold = true;
      LOG.warn(
          "Topic {} may not be read, so it is not told what the job's gate holds back: {}",
          topic,
          failure.getMessage());
    }
  }

  private void pause() throws InterruptedException {
    closing.await(PAUSE_SECONDS, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    closing.countDown();
    consumer.wakeup();
    try {
      thread.join(ANSWER.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
