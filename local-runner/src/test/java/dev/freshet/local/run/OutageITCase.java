package dev.freshet.local.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.labels.DroppedEvent;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.PendingImpression;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.broker.Topics;
import dev.freshet.replica.CommittedConsumers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The broker is killed and comes back while a day goes by in minutes, or the trainer is slower than
 * the events: every label has the value that someone tells who knows all events. {@code
 * -Dfreshet.outage=30} makes it a longer outage.
 */
@Timeout(value = 16, unit = TimeUnit.MINUTES)
class OutageITCase {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long START = 1_767_225_600_000L;
  private static final int SPEED = 400;
  private static final int OUTAGE_SECONDS = Integer.getInteger("freshet.outage", 8);
  private static final int BEFORE_SECONDS = 8;
  private static final int SECONDS = BEFORE_SECONDS + OUTAGE_SECONDS + 10;
  private static final String PIPELINE =
      """
      pipeline: outage
      kafka: {topics: {examples: examples}}
      tasks:
        - {name: click, kind: binary, window: 10m}
        - {name: purchase, kind: binary, after: click, window: 30m}
      labels: {disorder: 1m, idle-after: 2s, holdout: 0.0}
      features:
        - {name: user_id, kind: categorical, dim: 4}
      models:
        - {name: main, kind: shared-bottom}
      """;

  /** A message and the moment at which it is sent, by the clock of the events. */
  private record Sent(long at, String topic, String key, String value) {}

  @TempDir private Path folder;

  private final List<Impression> impressions = new ArrayList<>();
  private final List<Feedback> feedback = new ArrayList<>();
  private final List<Sent> messages = new ArrayList<>();

  @Test
  void everyLabelHasTheValueOfAnUndisturbedRun() throws Exception {
    happen(SECONDS * SPEED / 2);
    EmbeddedBroker broker = EmbeddedBroker.start(folder.resolve("kafka"));
    try {
      Pipeline pipeline = PipelineFile.parse(PIPELINE, "test").withBootstrap(broker.bootstrap());
      try (Topics topics = new Topics(pipeline)) {
        topics.create(2);
        try (LocalJob job =
            LocalJob.start(pipeline, folder.resolve("job"), 2, Duration.ofSeconds(2))) {
          while (!job.running()) {
            TimeUnit.MILLISECONDS.sleep(100);
          }
          Thread producers = new Thread(() -> send(pipeline, SPEED), "producers");
          producers.start();
          TimeUnit.SECONDS.sleep(BEFORE_SECONDS);
          broker.kill();
          TimeUnit.SECONDS.sleep(OUTAGE_SECONDS);
          broker = broker.restart();
          producers.join();
          while (!topics.allRead()) {
            assertThat(job.finished()).isFalse();
            TimeUnit.MILLISECONDS.sleep(200);
          }
          while (!job.stop(true, () -> true)) {
            TimeUnit.MILLISECONDS.sleep(200);
          }
        }
      }
      labelsAreRight(pipeline);
    } finally {
      broker.close();
    }
  }

  /**
   * All events are there at once, and behind the trainer nothing moves for longer than {@code
   * idle-after} at a time: a partition that is not read for so long still has its turn.
   */
  @Test
  void aSlowTrainerMakesNothingLate() throws Exception {
    happen(2400);
    try (EmbeddedBroker broker = EmbeddedBroker.start(folder.resolve("kafka"))) {
      String text =
          PIPELINE
              .replace("idle-after: 2s", "idle-after: 500ms")
              .replace(
                  "{topics: {",
                  "{properties: {interceptor.classes: "
                      + TestingSlowTrainer.class.getName()
                      + "}, topics: {training-log: "
                      + TestingSlowTrainer.TOPIC
                      + ", ");
      Pipeline pipeline =
          PipelineFile.parse(
                  text
                      + "training: {batch: 256, max-wait: 0ms}\npublishing: {every: 100 checkpoints}\n",
                  "test")
              .withBootstrap(broker.bootstrap());
      try (Topics topics = new Topics(pipeline)) {
        topics.create(2);
        send(pipeline, 1_000_000);
        try (LocalJob job =
            LocalJob.start(pipeline, folder.resolve("job"), 1, Duration.ofSeconds(2))) {
          while (!job.running() || !topics.allRead()) {
            assertThat(job.finished()).isFalse();
            TimeUnit.MILLISECONDS.sleep(200);
          }
          while (!job.stop(true, () -> true)) {
            TimeUnit.MILLISECONDS.sleep(200);
          }
        }
      }
      labelsAreRight(pipeline);
    }
  }

  private void labelsAreRight(Pipeline pipeline) throws IOException {
    Map<String, Long> dropped = new TreeMap<>();
    for (var letter : read(pipeline, "dead-letters")) {
      dropped.merge(header(letter, "freshet.reason"), 1L, Long::sum);
    }
    Map<String, Double> told = labels(pipeline);
    Map<String, Double> expected = expected(pipeline);
    long wrong =
        expected.entrySet().stream()
            .filter(e -> !e.getValue().equals(told.get(e.getKey())))
            .count();
    System.out.printf("%,d labels, %,d differ, dropped %s%n", expected.size(), wrong, dropped);
    assertThat(dropped).isEmpty();
    assertThat(told).isEqualTo(expected);
  }

  private void happen(int count) {
    Random random = new Random(7);
    for (int i = 0; i < count; i++) {
      String id = "i" + i;
      long shown = START + i * 2000L;
      impressions.add(
          new Impression(id, shown, new RawFeatures(new String[0][], new double[0]), null));
      message(shown, "impressions", id, "\"features\":{\"user_id\":\"u" + i % 50 + "\"}", random);
      if (random.nextDouble() < 0.3) {
        long clicked = shown + random.nextLong(600_000);
        happen(id, 0, "click", clicked, random);
        if (random.nextDouble() < 0.5) {
          happen(id, 1, "purchase", clicked + random.nextLong(1_800_000), random);
        }
      }
    }
    messages.sort(Comparator.comparingLong(Sent::at));
  }

  private void happen(String id, int task, String kind, long time, Random random) {
    feedback.add(new Feedback(id, kind, task, time, 1));
    message(time, kind, id, "\"event_id\":\"%s\",\"kind\":\"%s\"".formatted(kind, kind), random);
  }

  private void message(long time, String topic, String id, String rest, Random random) {
    String value = "{\"impression_id\":\"%s\",\"event_time\":%d,%s}".formatted(id, time, rest);
    messages.add(new Sent(time + random.nextLong(30_000), topic, id, value));
  }

  /**
   * A producer for each topic, as services have; they keep what they cannot send.
   *
   * @param speed times real time
   */
  private void send(Pipeline pipeline, int speed) {
    Map<String, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers",
            pipeline.kafka().bootstrap(),
            "linger.ms",
            5,
            "max.block.ms",
            300_000,
            "delivery.timeout.ms",
            300_000);
    long startedAt = System.nanoTime();
    try {
      for (Sent message : messages) {
        // What follows from the last impressions takes too long to wait for.
        if (message.at() - START < SECONDS * SPEED * 1000L) {
          long due = startedAt + (message.at() - START) * 1_000_000 / speed;
          TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
        }
        producers
            .computeIfAbsent(
                message.topic(),
                t ->
                    new KafkaProducer<>(
                        settings, new ByteArraySerializer(), new ByteArraySerializer()))
            .send(
                new ProducerRecord<>(
                    message.topic(),
                    message.key().getBytes(StandardCharsets.UTF_8),
                    message.value().getBytes(StandardCharsets.UTF_8)));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      producers.values().forEach(KafkaProducer::close);
    }
  }

  /** Labels of an undisturbed run, by impression and task. */
  private Map<String, Double> expected(Pipeline pipeline) {
    Map<String, Double> labels = new TreeMap<>();
    LabelJoin join = new LabelJoin(pipeline.tasks(), pipeline.labels(), false);
    Map<String, PendingImpression> pending = new HashMap<>();
    LabelJoin.Output output =
        new LabelJoin.Output() {
          @Override
          public void example(LabeledExample example) {
            for (int task = 0; task < example.labels().length; task++) {
              if (example.labels()[task].isFinal()) {
                String name = pipeline.tasks().get(task).name();
                labels.put(example.impression().id() + "/" + name, example.labels()[task].value());
              }
            }
          }

          @Override
          public void dropped(DroppedEvent event) {
            throw new AssertionError(event);
          }
        };
    for (Impression impression : impressions) {
      pending.put(impression.id(), new PendingImpression(2));
      join.onImpression(pending.get(impression.id()), impression, Long.MIN_VALUE, output);
    }
    for (Feedback event : feedback) {
      join.onFeedback(pending.get(event.impressionId()), event, Long.MIN_VALUE, output);
    }
    for (PendingImpression one : pending.values()) {
      while (!one.finished()) {
        join.onTimer(one, join.nextMoment(one), output);
      }
    }
    return labels;
  }

  private Map<String, Double> labels(Pipeline pipeline) throws IOException {
    Map<String, Double> labels = new TreeMap<>();
    for (var record : read(pipeline, "examples")) {
      JsonNode example = JSON.readTree(record.value());
      for (var label : example.path("labels").properties()) {
        if (label.getValue().path("final").asBoolean()) {
          String key = example.path("impression_id").asText() + "/" + label.getKey();
          assertThat(labels.put(key, label.getValue().path("value").asDouble())).as(key).isNull();
        }
      }
    }
    return labels;
  }

  private static List<ConsumerRecord<byte[], byte[]>> read(Pipeline pipeline, String topic) {
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    try (var consumer = CommittedConsumers.open(pipeline, Map.of())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(p -> new TopicPartition(topic, p.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (ends.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
        consumer.poll(Duration.ofMillis(200)).forEach(records::add);
      }
    }
    return records;
  }

  private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
    return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
  }
}
