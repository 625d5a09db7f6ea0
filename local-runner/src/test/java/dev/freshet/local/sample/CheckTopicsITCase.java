package dev.freshet.local.sample;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.local.TestingCommand;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.broker.Topics;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./freshet check --events}, on topics of a real broker. */
class CheckTopicsITCase {

  private static final long START = 1767225600000L;
  private static final int SHOWN = 500;
  private static final String PIPELINE =
      """
      pipeline: topical
      kafka: {topics: {impressions: shown, click: clicked}}
      tasks: [{name: click, kind: binary, window: 1m}]
      features: [{name: item, kind: categorical}]
      models: [{name: main, kind: shared-bottom}]
      """;

  @TempDir private static Path folder;
  private static EmbeddedBroker broker;

  @BeforeAll
  static void start() throws Exception {
    broker = EmbeddedBroker.start(folder.resolve("kafka"));
    Pipeline pipeline = PipelineFile.parse(PIPELINE, "test").withBootstrap(broker.bootstrap());
    try (Topics topics = new Topics(pipeline)) {
      topics.create(3);
    }
    Map<String, Object> settings =
        Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrap());
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (int i = 0; i < SHOWN; i++) {
        long time = START + i * 1000L;
        send(
            producer,
            "shown",
            "{\"impression_id\":\"i%d\",\"event_time\":%d,\"features\":{\"item\":\"p%d\"}}"
                .formatted(i, time, i % 9));
        if (i % 4 == 0) {
          send(
              producer,
              "clicked",
              "{\"impression_id\":\"i%d\",\"event_id\":\"c\",\"event_time\":%d}"
                  .formatted(i, time + 20_000));
        }
      }
      producer.send(new ProducerRecord<>("shown", null, null));
    }
  }

  private static void send(KafkaProducer<byte[], byte[]> to, String topic, String message) {
    to.send(new ProducerRecord<>(topic, null, message.getBytes(StandardCharsets.UTF_8)));
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  @Test
  void allTopicsOfAPipelineAreLookedAt() throws Exception {
    Path file = Files.writeString(folder.resolve("topical.yaml"), PIPELINE);
    TestingCommand ran =
        TestingCommand.run(
            "check",
            file.toString(),
            "--bootstrap",
            broker.bootstrap(),
            "--events",
            "topics",
            "--json");
    assertThat(ran.err()).isEmpty();
    assertThat(ran.code()).isZero();
    JsonNode found = new ObjectMapper().readTree(ran.out());
    assertThat(found.at("/impressions").asInt()).isEqualTo(SHOWN);
    assertThat(found.at("/sources/0/refused/empty-message/sample").asText())
        .startsWith("partition ");
    assertThat(found.at("/tasks/click/joined").asInt()).isEqualTo(SHOWN / 4);
    assertThat(found.at("/tasks/click/delayMillis/p50").asInt()).isEqualTo(20_000);
    assertThat(found.at("/sources/0/behindMillis/most").asInt()).isZero();
  }

  @Test
  void aPipelineIsMadeOfTopics() throws Exception {
    Path made = folder.resolve("made.yaml");
    TestingCommand ran =
        TestingCommand.run(
            "check",
            "--events",
            "shown",
            "clicked",
            "--bootstrap",
            broker.bootstrap(),
            "--write",
            made.toString());
    assertThat(ran.err()).isEmpty();
    assertThat(ran.code()).isZero();
    assertThat(ran.out()).contains("./freshet topics create --pipeline " + made);
    assertThat(Files.readString(made))
        .contains("  bootstrap: \"" + broker.bootstrap() + "\"")
        .contains("    impressions: shown\n    clicked: clicked\n")
        .contains("- {name: clicked, kind: binary, after: impression, window: 1m}");
  }

  @Test
  void aTopicThatIsNotThereIsNotMade() throws Exception {
    TestingCommand ran =
        TestingCommand.run(
            "check",
            "--events",
            "clickd",
            "--bootstrap",
            broker.bootstrap(),
            "--write",
            folder.resolve("none.yaml").toString());
    assertThat(ran.code()).isEqualTo(2);
    assertThat(ran.err())
        .isEqualToIgnoringNewLines(
            "--events: 'clickd': no such file, and no such topic; did you mean 'clicked'?");
  }
}
