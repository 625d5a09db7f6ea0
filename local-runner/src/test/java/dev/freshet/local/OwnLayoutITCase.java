package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.commands.FreshetCommand;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The same events twice: as Freshet has them, and as a tracker writes them, all kinds on one topic,
 * three impressions in a message, an order that is two tasks' feedback. They give the same
 * examples.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class OwnLayoutITCase {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long START = 1_767_225_600_000L;
  private static final int VIEWS = 500;
  private static final int SLOTS = 3;
  private static final String PIPELINE =
      """
      pipeline: layouts
      tasks:
        - {name: click, kind: binary, window: 2m}
        - {name: order, kind: binary, after: click, window: 10m}
        - {name: revenue, kind: continuous, after: order, window: 10m, transform: none}
      labels: {holdout: 0.0}
      features:
        - {name: user, kind: categorical}
        - {name: item, kind: categorical}
        - {name: tags, kind: categorical, many: true}
        - {name: price, kind: numeric}
      models:
        - {name: net, kind: shared-bottom, bottom: [16], tower: [8]}
      publishing: {gate: {require-labels: 0}}
      """;
  private static final String MAPPED =
      PIPELINE
          + """
            kafka: {topics: {impressions: track, click: track, order: track, revenue: track}}
            events:
              impressions:
                when: .event == "Products Viewed"
                each: .properties.products[]
                impression-id: '"\\($message.properties.page)/\\(.slot)"'
                event-time: $message.timestamp
                time-zone: Europe/Berlin
                features: .
                fields: {user: $message.user.id, tags: '.labels[].name'}
              click:
                preset: segment
                when: .event == "Product Clicked"
                impression-id: '"\\(.properties.page)/\\(.properties.slot)"'
                time-zone: Europe/Berlin
              order:
                preset: segment
                when: .event == "Order Completed"
                impression-id: '"\\(.properties.page)/\\(.properties.slot)"'
                time-zone: Europe/Berlin
              revenue:
                preset: segment
                when: .event == "Order Completed"
                impression-id: '"\\(.properties.page)/\\(.properties.slot)"'
                time-zone: Europe/Berlin
                value: .properties.total
            """;

  @TempDir private Path folder;
  private final Random random = new Random(5);

  private final List<String> shown = new ArrayList<>();
  private final List<String> answered = new ArrayList<>();

  /** By their time. */
  private final TreeMap<Long, List<String>> tracked = new TreeMap<>();

  @BeforeEach
  void events() {
    for (int page = 0; page < VIEWS; page++) {
      long time = START + page * 3000L;
      List<String> products = new ArrayList<>();
      for (int slot = 0; slot < SLOTS; slot++) {
        String item = "p" + random.nextInt(20);
        String price = random.nextInt(1, 900) / 10.0 + "";
        shown.add(
            "{\"impression_id\":\"v%d/%d\",\"event_time\":%d,\"features\":{\"user\":%d,\"item\":\"%s\",\"tags\":[\"a\",\"%s\"],\"price\":%s}}"
                .formatted(page, slot, time, page % 50, item, item, price));
        products.add(
            "{\"slot\":%d,\"item\":\"%s\",\"price\":\"%s\",\"labels\":[{\"name\":\"a\"},{\"name\":\"%s\"}]}"
                .formatted(slot, item, price, item));
        answers(page, slot, time);
      }
      track(
          time,
          "\"event\":\"Products Viewed\",\"user\":{\"id\":%d},\"properties\":{\"page\":\"v%d\",\"products\":%s}"
              .formatted(page % 50, page, products));
      track(time + 1, "\"event\":\"Scrolled\",\"properties\":{}");
    }
  }

  private void answers(int page, int slot, long shownAt) {
    long click = shownAt + random.nextInt(1, 100_000);
    if (random.nextInt(3) != 0) {
      return;
    }
    String at = "\"page\":\"v%d\",\"slot\":%d".formatted(page, slot);
    answered.add(feedback(page, slot, "click", click, ""));
    track(
        click,
        "\"messageId\":\"e\",\"event\":\"Product Clicked\",\"properties\":{%s}".formatted(at));
    if (random.nextBoolean()) {
      long order = click + random.nextInt(1, 400_000);
      double total = random.nextInt(100, 9000) / 100.0;
      answered.add(feedback(page, slot, "order", order, ""));
      answered.add(feedback(page, slot, "revenue", order, ",\"value\":" + total));
      track(
          order,
          "\"messageId\":\"e\",\"event\":\"Order Completed\",\"properties\":{%s,\"total\":\"%s\"}"
              .formatted(at, total));
    }
  }

  private static String feedback(int page, int slot, String kind, long time, String more) {
    return "{\"impression_id\":\"v%d/%d\",\"event_id\":\"e\",\"kind\":\"%s\",\"event_time\":%d%s}"
        .formatted(page, slot, kind, time, more);
  }

  /** As a tracker would, with the clock on the wall of Berlin. */
  private void track(long time, String rest) {
    String local = Instant.ofEpochMilli(time + 3_600_000).toString().replace("Z", "");
    tracked
        .computeIfAbsent(time, t -> new ArrayList<>())
        .add("{\"timestamp\":\"%s\",%s}".formatted(local.replace('T', ' '), rest));
  }

  @Test
  void theSameEventsGiveTheSameExamples() throws Exception {
    Path own = Files.writeString(folder.resolve("plain.yaml"), PIPELINE);
    Map<String, JsonNode> plain =
        examples(
            own,
            Files.write(folder.resolve("impressions.jsonl"), shown),
            Files.write(folder.resolve("feedback.jsonl"), answered));
    assertThat(plain).hasSizeGreaterThan(VIEWS * SLOTS);

    Path mapped = Files.writeString(folder.resolve("mapped.yaml"), MAPPED);
    Path track =
        Files.write(
            folder.resolve("track.jsonl"),
            tracked.values().stream().flatMap(List::stream).toList());
    assertThat(FreshetCommand.run("check", mapped.toString(), "--events", track.toString()))
        .as("check")
        .isZero();
    assertThat(examples(mapped, track, track)).isEqualTo(plain);
  }

  /** Both sources read the one topic; what is only passed over holds nothing back. */
  @Test
  void oneTopicIsReadByTheJob() throws Exception {
    String pipeline = Files.writeString(folder.resolve("mapped.yaml"), MAPPED).toString();
    try (EmbeddedBroker broker = EmbeddedBroker.start(folder.resolve("kafka"))) {
      String[] at = {"--pipeline", pipeline, "--bootstrap", broker.bootstrap()};
      TestingCommand created = command(at, "topics", "create");
      assertThat(created.code()).as(created.out() + created.err()).isZero();
      Map<String, Object> settings =
          Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrap());
      try (KafkaProducer<byte[], byte[]> producer =
          new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
        for (String line : tracked.values().stream().flatMap(List::stream).toList()) {
          producer.send(new ProducerRecord<>("track", line.getBytes(StandardCharsets.UTF_8)));
        }
      }
      TestingCommand checked = command(at, "topics", "check");
      assertThat(checked.code()).as(checked.out() + checked.err()).isZero();
      TestingCommand sampled =
          TestingCommand.run(
              "check", pipeline, "--events", "topics", "--bootstrap", broker.bootstrap(), "--json");
      assertThat(sampled.code()).as(sampled.out() + sampled.err()).isZero();
      assertThat(JSON.readTree(sampled.out()).path("impressions").asInt()).isEqualTo(VIEWS * SLOTS);
      Path data = folder.resolve("data");
      TestingCommand ran =
          command(at, "run", "--data-dir", data.toString(), "--for", "30s", "--json");
      assertThat(ran.code()).as(ran.out() + ran.err()).isZero();
      JsonNode report = JSON.readTree(ran.out());
      assertThat(report.path("rejected")).isEmpty();
      assertThat(report.path("dropped")).as(ran.out()).isEmpty();
      assertThat(report.path("examples").asInt()).isGreaterThan(VIEWS * SLOTS / 2);
    }
  }

  private static TestingCommand command(String[] more, String... command) {
    return TestingCommand.run(
        Stream.concat(Arrays.stream(command), Arrays.stream(more)).toArray(String[]::new));
  }

  private Map<String, JsonNode> examples(Path pipeline, Path impressions, Path feedback)
      throws IOException {
    Path out = folder.resolve("examples.jsonl");
    int code =
        FreshetCommand.run(
            "replay",
            "--pipeline",
            pipeline.toString(),
            "--impressions",
            impressions.toString(),
            "--feedback",
            feedback.toString(),
            "--checkpoint-every",
            "1s",
            "--examples-out",
            out.toString());
    assertThat(code).isZero();
    Map<String, JsonNode> examples = new TreeMap<>();
    for (String line : Files.readAllLines(out)) {
      ObjectNode example = (ObjectNode) JSON.readTree(line);
      String key = example.path("impression_id").asText() + " " + example.path("tag").asText();
      assertThat(examples.put(key, example)).as(key).isNull();
    }
    return examples;
  }
}
