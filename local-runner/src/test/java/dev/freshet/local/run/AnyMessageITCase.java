package dev.freshet.local.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.Rejection;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.broker.Topics;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever the topics hold, of any size that the broker takes, two tasks in parallel go through it
 * without a restart: what is an event is learnt, and the rest is in the dead letters by reason. So
 * are the examples of batches that cannot be learnt, which are all those with amounts.
 */
@Timeout(value = 16, unit = TimeUnit.MINUTES)
class AnyMessageITCase {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long SHOWN = 1_767_225_600_000L;
  private static final int GOOD = 400;
  private static final int BATCH = 64;

  /** What a producer with its default settings takes, key and all overhead included. */
  private static final int LARGEST = 1_048_576 - 200;

  /** Fields whose numbers each trainer reads in its own way, and a cross that waits for them. */
  private static final String NUMBERS =
      """
        - {name: topics, kind: categorical, many: true, weighted: true, admit-after: 1}
        - {name: cost, kind: numeric}
        - {name: age, kind: numeric, as: value, scale: log1p}
        - {name: image, kind: vector, size: 3, dim: 4}
        - {name: dear, kind: cross, of: [cost, user], dim: 2}
      """;

  @TempDir private Path folder;

  private final Random random = new Random(7);
  private final List<byte[]> impressions = new ArrayList<>();
  private final List<byte[]> clicks = new ArrayList<>();
  private final List<byte[]> purchases = new ArrayList<>();
  private final List<byte[]> amounts = new ArrayList<>();

  @Test
  void noMessageStopsTheJob() throws Exception {
    for (int i = 0; i < GOOD; i++) {
      add(impressions, impression("\"g" + i + "\"", "\"user\": \"u" + i % 9 + "\"" + numbers(i)));
      add(clicks, click("\"g" + i + "\"", "\"c" + i + "\""));
      if (i % 10 == 0) {
        String bought = click("\"g" + i + "\"", "\"p" + i + "\"");
        add(purchases, bought);
        add(amounts, bought.replace("}", ", \"value\": " + (5 + i % 7) + "}"));
      }
    }
    zoo();
    try (EmbeddedBroker broker = EmbeddedBroker.start(folder.resolve("kafka"))) {
      String text =
          TestingPipelines.SHOP
              .replace(
                  "tasks:",
                  "kafka: {topics: {examples: examples, training-log: training-log}}\ntasks:")
              .replace("models:", NUMBERS + "models:")
              .replace("transform: zscore", "transform: zscore, loss-weight: 1e30")
              .replace("training: {", "training: {max-skipped: 1000000, ");
      Pipeline pipeline = PipelineFile.parse(text, "test").withBootstrap(broker.bootstrap());
      try (Topics topics = new Topics(pipeline)) {
        topics.create(2);
      }
      send(pipeline, "impressions", impressions);
      send(pipeline, "click", clicks);
      send(pipeline, "purchase", purchases);
      send(pipeline, "revenue", amounts);
      try (Topics topics = new Topics(pipeline);
          LocalJob job =
              LocalJob.start(pipeline, folder.resolve("job"), 2, Duration.ofSeconds(2))) {
        while (!topics.allRead()) {
          assertThat(job.finished()).isFalse();
          TimeUnit.MILLISECONDS.sleep(200);
        }
        job.stop(true, () -> true);
      }
      check(pipeline);
    }
  }

  private static String numbers(int i) {
    return ", \"topics\": {\"even\": %d, \"odd\": 0.5}, \"cost\": %d, \"age\": %d, \"image\": [%d, 0.5, -1]"
        .formatted(i % 2, i % 50, i == 7 ? Integer.MAX_VALUE : i % 70, i % 3);
  }

  private void check(Pipeline pipeline) {
    EventReader reader = pipeline.eventReader();
    Map<String, Integer> expected = new TreeMap<>();
    int accepted = 0;
    for (byte[] message : impressions) {
      accepted += count(reader.impression(message).rejection(), expected);
    }
    for (byte[] message : clicks) {
      count(reader.feedback(message, "click").rejection(), expected);
    }
    Map<String, Integer> found = new TreeMap<>();
    Map<String, Integer> values = new HashMap<>();
    Map<String, List<JsonNode>> notLearnt = new TreeMap<>();
    for (ConsumerRecord<byte[], byte[]> letter : read(pipeline, "dead-letters")) {
      String reason = header(letter, "freshet.reason");
      if (List.of("duplicate", "late", "orphaned").contains(reason)) {
        continue; // accepted events that have no part in a label
      }
      if (reason.equals("skipped-batch")) {
        JsonNode json = parse(letter.value());
        assertThat(new String(letter.key(), StandardCharsets.UTF_8))
            .isEqualTo(json.path("impression_id").asText());
        notLearnt
            .computeIfAbsent(header(letter, "freshet.model"), m -> new ArrayList<>())
            .add(json);
        continue;
      }
      found.merge(reason, 1, Integer::sum);
      String whole = header(letter, "freshet.truncated");
      byte[] sent = original(letter);
      if (whole == null) {
        assertThat(letter.value()).isEqualTo(sent);
      } else {
        assertThat(whole).isEqualTo(Integer.toString(sent.length));
        assertThat(letter.value()).isEqualTo(Arrays.copyOf(sent, letter.value().length));
        values.merge("truncated", 1, Integer::sum);
      }
    }
    assertThat(found).isEqualTo(expected).containsKeys("malformed-json", "too-large", "wrong-type");
    assertThat(values.get("truncated")).as("letters that were cut").isGreaterThan(3);
    int good = 0;
    int bare = 0;
    List<String> ids = new ArrayList<>();
    List<JsonNode> told = new ArrayList<>();
    for (ConsumerRecord<byte[], byte[]> example : read(pipeline, "examples")) {
      JsonNode json = parse(example.value());
      told.add(((ObjectNode) json).deepCopy().retain("impression_id", "event_time", "labels"));
      JsonNode click = json.path("labels").path("click");
      if (click.path("final").asBoolean()) {
        ids.add(json.path("impression_id").asText());
        bare += json.path("features").isNull() ? 1 : 0;
        if (json.path("impression_id").asText().matches("g[0-9]+")) {
          assertThat(click.path("value").asDouble()).as(json.toString()).isEqualTo(1);
          good++;
        }
      }
    }
    assertThat(good).as("good impressions with their clicks").isEqualTo(GOOD);
    assertThat(ids).as("every accepted impression once").doesNotHaveDuplicates();
    assertThat(ids).hasSize(accepted - repeated());
    assertThat(bare).as("examples whose features are too large").isEqualTo(1);
    List<JsonNode> metrics = new ArrayList<>();
    read(pipeline, "training-metrics").forEach(record -> metrics.add(parse(record.value())));
    for (String model : List.of("main", "plain")) {
      JsonNode end =
          metrics.stream()
              .filter(record -> record.path("model").asText().equals(model))
              .reduce((one, next) -> next)
              .orElseThrow();
      assertThat(notLearnt.get(model)).as("each once").doesNotHaveDuplicates();
      assertThat(told).as("with the labels that were told").containsAll(notLearnt.get(model));
      // Only the last batch of all is not full.
      assertThat((notLearnt.get(model).size() + BATCH - 1) / BATCH)
          .isGreaterThan(3)
          .isEqualTo(end.path("skippedBatches").asInt());
      assertThat(end.path("samples").path("skippedBatches").asText())
          .startsWith("model " + model + ", step ")
          .contains("those of these impressions are the furthest off: ");
    }
    metrics.removeIf(record -> !record.path("model").asText().equals("plain"));
    assertThat(metrics)
        .extracting(record -> record.path("run").asLong())
        .as("one run, so no restart")
        .containsOnly(metrics.get(0).path("run").asLong());
    JsonNode last = metrics.get(metrics.size() - 1);
    assertThat(last.path("fields").path("age").path("clipped").asLong()).isPositive();
    assertThat(last.path("fields").path("item").path("absent").asLong())
        .isGreaterThanOrEqualTo(GOOD);
  }

  private static int count(Rejection rejection, Map<String, Integer> into) {
    if (rejection == null) {
      return 1;
    }
    into.merge(rejection.reason().label(), 1, Integer::sum);
    return 0;
  }

  /** Impressions of the zoo whose id was there before: the forms of 7. */
  private int repeated() {
    return 3;
  }

  private byte[] original(ConsumerRecord<byte[], byte[]> letter) {
    // A key names the message: kind and place.
    String key = new String(letter.key(), StandardCharsets.UTF_8);
    int at = Integer.parseInt(key.replaceAll("[^0-9]", ""));
    byte[] sent = (key.startsWith("i") ? impressions : clicks).get(at);
    return sent;
  }

  private void zoo() {
    for (String seven : List.of("7", "\"7\"", "7.0", "7e0")) {
      add(impressions, impression(seven, "\"user\": " + seven));
    }
    List<String> texts =
        new ArrayList<>(
            List.of(
                "\\ud800",
                "\\udc00\\ud800",
                "x\\udfff",
                "\\u0000",
                "\\u0000unknown",
                "\\ufffd",
                "\\uffff",
                "\\ud83d\\ude00",
                "e\\u0301",
                "\u00e9",
                "\u2028",
                "\uFEFF"));
    for (int i = 0; i < 60; i++) {
      texts.add(escaped(4));
    }
    for (String text : texts) {
      add(impressions, impression("\"t" + text + "\"", "\"user\": \"" + text + "\""));
      add(impressions, impression("\"u" + text + "\"", "\"tags\": [\"" + text + "\"]"));
      add(clicks, click("\"" + text + "\"", "\"x\""));
      add(clicks, click("\"g1\"", "\"" + text + "\""));
    }
    for (String number :
        List.of(
            "1e400",
            "-1e400",
            "1e-400",
            "-0.0",
            "1.7976931348623157e308",
            "4.9e-324",
            "1e2147483647",
            "1e99999999999",
            "9".repeat(1000),
            "9".repeat(10_000),
            "NaN",
            "0x1",
            "\"12.5\"",
            "\"x\"")) {
      String id = "\"n" + impressions.size() + "\"";
      add(impressions, impression(id, "\"price\": " + number));
      add(impressions, impression(id.replace("n", "m"), "\"user\": " + number));
      add(clicks, click(number, "\"y\""));
    }
    for (String features :
        List.of(
            "\"user\": 1, \"user\": 2",
            "\"user\": [1]",
            "\"item\": {}",
            "\"tags\": [[1]]",
            "\"other\": " + "[".repeat(10_000) + "]".repeat(10_000),
            "\"tags\": [" + "1,".repeat(100_000) + "1]",
            "\"tags\": [" + "1,".repeat(999) + "1]")) {
      add(impressions, impression("\"f" + impressions.size() + "\"", features));
    }
    for (int size :
        new int[] {
          1023,
          1024,
          1025,
          4096,
          4097,
          65_534,
          65_535,
          65_536,
          65_537,
          LARGEST - 1500,
          LARGEST - 1000,
          LARGEST - 200
        }) {
      add(impressions, impression("\"" + "s".repeat(size) + "\"", ""));
      add(impressions, impression("\"v" + size + "\"", "\"user\": \"" + "v".repeat(size) + "\""));
      add(impressions, impression("\"w" + size + "\"", "\"item\": [\"" + "v".repeat(size) + "\"]"));
      add(clicks, click("\"g1\"", "\"" + "e".repeat(size) + "\""));
      impressions.add("x".repeat(size).getBytes(StandardCharsets.UTF_8));
    }
    // As large as can be sent: as an example, with its labels, it is larger than that.
    String bare = impression("\"big\"", "\"tags\": []");
    StringBuilder tags = new StringBuilder();
    for (int left = LARGEST - bare.length();
        left > 4;
        left = LARGEST - bare.length() - tags.length()) {
      tags.append(tags.isEmpty() ? "" : ",");
      tags.append('"').append("v".repeat(Math.min(4000, left - 3))).append('"');
    }
    add(impressions, bare.replace("[]", "[" + tags + "]"));
    impressions.add(null);
    impressions.add(new byte[0]);
    clicks.add(null);
    impressions.add("\uFEFF{}".getBytes(StandardCharsets.UTF_8));
    impressions.add(impression("\"utf16\"", "").getBytes(StandardCharsets.UTF_16LE));
    impressions.add(impression("\"\u00e9\"", "").getBytes(StandardCharsets.ISO_8859_1));
    byte[] surrogate = impression("\"???\"", "").getBytes(StandardCharsets.UTF_8);
    int at = new String(surrogate, StandardCharsets.UTF_8).indexOf("???");
    System.arraycopy(new byte[] {(byte) 0xED, (byte) 0xA0, (byte) 0x80}, 0, surrogate, at, 3);
    impressions.add(surrogate);
    for (int i = 0; i < 200; i++) {
      byte[] broken =
          impression("\"b" + i + "\"", "\"user\": 1.5").getBytes(StandardCharsets.UTF_8);
      // Its time stays, so that a broken event is not one of another year.
      broken[random.nextInt(12)] = (byte) random.nextInt(256);
      impressions.add(broken);
    }
  }

  private String escaped(int length) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append(String.format("\\u%04x", random.nextInt(0x10000)));
    }
    return text.toString();
  }

  private static String impression(String id, String features) {
    return "{\"impression_id\": "
        + id
        + ", \"event_time\": "
        + SHOWN
        + ", \"features\": {"
        + features
        + "}}";
  }

  private static String click(String id, String event) {
    return "{\"impression_id\": "
        + id
        + ", \"event_id\": "
        + event
        + ", \"event_time\": "
        + (SHOWN + 1000)
        + "}";
  }

  private static void add(List<byte[]> to, String message) {
    to.add(message.getBytes(StandardCharsets.UTF_8));
  }

  private static void send(Pipeline pipeline, String topic, List<byte[]> messages)
      throws Exception {
    Properties settings = settings(pipeline);
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (int i = 0; i < messages.size(); i++) {
        byte[] key = (topic.substring(0, 1) + i).getBytes(StandardCharsets.UTF_8);
        producer.send(new ProducerRecord<>(topic, i % 2, key, messages.get(i))).get();
      }
    }
  }

  private static List<ConsumerRecord<byte[], byte[]>> read(Pipeline pipeline, String topic) {
    Properties settings = settings(pipeline);
    settings.put("isolation.level", "read_committed");
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (PartitionInfo partition : consumer.partitionsFor(topic)) {
        partitions.add(new TopicPartition(topic, partition.partition()));
      }
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
        consumer.poll(Duration.ofMillis(200)).forEach(records::add);
      }
    }
    return records;
  }

  private static Properties settings(Pipeline pipeline) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", pipeline.kafka().bootstrap());
    return settings;
  }

  private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
    Header header = record.headers().lastHeader(name);
    return header == null ? null : new String(header.value(), StandardCharsets.UTF_8);
  }

  private static JsonNode parse(byte[] json) {
    try {
      return JSON.readTree(json);
    } catch (java.io.IOException e) {
      throw new AssertionError(e);
    }
  }
}
