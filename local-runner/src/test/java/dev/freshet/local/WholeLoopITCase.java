package dev.freshet.local;

import static dev.freshet.local.TestingProcesses.await;
import static dev.freshet.local.TestingProcesses.checkpoints;
import static dev.freshet.local.TestingProcesses.lastLine;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.models.torch.TorchEngine;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.SafeTensors;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.broker.Topics;
import dev.freshet.replica.ModelTopic;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The whole loop by its command line: real broker, real Flink, real PyTorch. */
@Timeout(value = 16, unit = TimeUnit.MINUTES)
class WholeLoopITCase {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;
  private TestingProcesses processes;

  @BeforeEach
  void open() {
    processes = new TestingProcesses(folder);
  }

  @Test
  void aKilledDemoGoesOnAndLearnsFromTheSameExamples() throws Exception {
    String[] load = {
      "demo", "--events", "20000", "--rate", "2500", "--speed", "1875", "--seed", "7", "--json"
    };
    JsonNode straight = lastLine(processes.run("straight", with(load, folder.resolve("straight"))));

    Path data = folder.resolve("killed");
    Process first = processes.start("first", with(load, data));
    await(() -> !checkpoints(data).isEmpty() || !first.isAlive());
    assertThat(first.isAlive()).as("killed in the middle").isTrue();
    first.destroyForcibly().waitFor();
    JsonNode resumed = lastLine(processes.run("second", with(load, data)));

    assertThat(Files.readString(processes.output("second")))
        .contains("Going on from the newest checkpoint");
    assertThat(resumed.path("events")).isEqualTo(straight.path("events"));
    assertThat(resumed.path("examples").asLong())
        .isEqualTo(straight.path("examples").asLong())
        .isGreaterThan(50_000);
    assertThat(resumed.path("rejected")).isEqualTo(straight.path("rejected"));
    long rejected = 0;
    for (JsonNode count : resumed.path("rejected")) {
      rejected += count.asLong();
    }
    assertThat(rejected).isGreaterThan(5);
    // A version number is used once: as many manifests were written as there are versions.
    for (String model : new String[] {"main", "baseline"}) {
      Set<String> versions = new HashSet<>();
      List<String> written = manifests(data, model);
      written.forEach(versions::add);
      assertThat(versions).hasSameSizeAs(written).hasSizeGreaterThan(2);
      JsonNode quality = resumed.path("quality").path(model).path("click");
      assertThat(quality.path("auc").asDouble()).isGreaterThan(0.55);
      assertThat(quality.path("bestAuc").asDouble()).isGreaterThan(quality.path("auc").asDouble());
      assertThat(resumed.path("replica").path(model).path("version").asText())
          .isEqualTo(resumed.path("versions").path(model).path("last").asText());
    }
    anotherPipelineIsRefusedBeforeItIsSubmitted(load, data);
    versionsCanBeListedExportedAndUsed(data, resumed);
  }

  private void anotherPipelineIsRefusedBeforeItIsSubmitted(String[] load, Path data)
      throws Exception {
    Path changed = folder.resolve("changed.yaml");
    Files.writeString(
        changed,
        Files.readString(Path.of("..", "pipelines", "shop.yaml"))
            .replace("dim: 8, admit-after: 2", "dim: 4, admit-after: 2")
            .replace("kind: shared-bottom,", "kind: esmm,"));
    List<String> args = new ArrayList<>(List.of(with(load, data)));
    args.addAll(List.of("--pipeline", changed.toString()));
    List<String> said = processes.runTo(2, "changed", args.toArray(String[]::new));
    assertThat(said).noneMatch(line -> line.contains("web UI"));
    assertThat(said)
        .anyMatch(line -> line.contains("models.main: 'features "))
        .anyMatch(
            line ->
                line.contains("models.baseline: 'features ")
                    && line.contains("kind esmm, was shared-bottom"));
  }

  private void versionsCanBeListedExportedAndUsed(Path data, JsonNode report) throws Exception {
    String last = report.path("versions").path("main").path("last").asText();
    Path weights = folder.resolve("weights.safetensors");
    Path impressions = folder.resolve("to-score.jsonl");
    Files.writeString(
        impressions,
        "{\"impression_id\":\"x\",\"event_time\":1767225600000,"
            + "\"features\":{\"user_id\":\"u3\",\"item_id\":\"p5\",\"price\":12.5,"
            + "\"segment\":\"s\",\"category\":\"c\",\"hour\":\"7\",\"tags\":[\"t\"]}}\n");
    try (EmbeddedBroker broker = EmbeddedBroker.start(data.resolve("kafka"))) {
      String at = broker.bootstrap();
      List<String> listed = processes.run("list", "models", "list", "--bootstrap", at);
      assertThat(listed).anyMatch(line -> line.matches("main " + last + " (base|delta) .*"));
      processes.run(
          "export",
          "models",
          "export",
          "--bootstrap",
          at,
          "--version",
          last,
          "--out",
          weights + "",
          "--graph",
          folder.resolve("graph.pt") + "");
      try (var graph = TorchEngine.load(Files.readAllBytes(folder.resolve("graph.pt")))) {
        assertThat(graph.arrays()).as("loads on its own").isNotNegative();
      }
      var tensors = SafeTensors.read(ByteBuffer.wrap(Files.readAllBytes(weights)));
      assertThat(tensors).containsKeys("dense.tower0.0.weight", "embedding.8.rows");
      JsonNode manifest = JSON.readTree(Path.of(weights + ".json").toFile());
      assertThat(manifest.path("version").asText()).isEqualTo(last);
      // The last version has learnt from all there is: it names the end of every partition.
      Map<TopicPartition, Long> read = new HashMap<>();
      for (JsonNode source : manifest.path("sources")) {
        read.put(
            new TopicPartition(source.path("topic").asText(), source.path("partition").asInt()),
            source.path("offset").asLong());
      }
      Pipeline pipeline = shop(at);
      try (Topics topics = new Topics(pipeline)) {
        assertThat(read).isEqualTo(topics.ends(topics.eventTopics()));
      }
      assertThat(manifest.path("configuration").asText()).isEqualTo(pipeline.fingerprint());
      // The log goes back across the kill to the training state of the last version's base.
      List<String> again =
          processes.run("reproduce", "reproduce", "--bootstrap", at, "--version", last);
      assertThat(again).last().isEqualTo("the same bytes");
      assertThat(again).anyMatch(line -> line.matches(last + " (base|delta) .* same"));
      JsonNode scored =
          lastLine(
              processes.run(
                  "predict", "predict", "--bootstrap", at, "--impressions", impressions + ""));
      assertThat(scored.path("version").asText()).isEqualTo(last);
      assertThat(scored.path("scores").path("click").asDouble()).isBetween(0.0, 1.0);
      assertThat(scored.path("scores").has("revenue")).isTrue();
    }
  }

  @Test
  void replayWritesExamplesAndCountsWhatIsWrong() throws Exception {
    Path impressions = folder.resolve("impressions.jsonl");
    Path feedback = folder.resolve("feedback.jsonl");
    Path examples = folder.resolve("examples.jsonl");
    List<String> shown = new ArrayList<>();
    List<String> answered = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      long time = 1_767_225_600_000L + i * 1000L;
      shown.add(
          "{\"impression_id\":\"i%d\",\"event_time\":%d,\"features\":{\"user_id\":\"u%d\"}}"
              .formatted(i, time, i % 7));
      if (i % 3 == 0) {
        answered.add(
            "{\"impression_id\":\"i%d\",\"event_id\":\"c\",\"kind\":\"click\",\"event_time\":%d}"
                .formatted(i, i == 0 ? time - 200 : time + 500));
      }
    }
    answered.add(
        "{\"impression_id\":\"i1\",\"event_id\":\"p\",\"kind\":\"purchase\",\"event_time\":1767225602000}");
    shown.add("{broken");
    answered.add(answered.get(0));
    answered.add(
        "{\"impression_id\":\"nobody\",\"event_id\":\"c\",\"kind\":\"click\",\"event_time\":1767225600000}");
    Files.write(impressions, shown);
    Files.write(feedback, answered);
    Path pipeline = Path.of("..", "pipelines", "shop.yaml").toAbsolutePath().normalize();
    JsonNode report =
        lastLine(
            processes.runTo(
                3,
                "replay",
                "replay",
                "--pipeline",
                pipeline.toString(),
                "--impressions",
                impressions.toString(),
                "--feedback",
                feedback.toString(),
                "--examples-out",
                examples.toString(),
                "--json"));
    assertThat(report.path("events").path("impression").asLong()).isEqualTo(601);
    assertThat(report.path("rejected").path("malformed-json").asLong()).isEqualTo(1);
    assertThat(report.path("duplicates").asLong()).isEqualTo(1);
    assertThat(report.path("orphaned").asLong()).isEqualTo(2);
    assertThat(report.path("orphanedBy").path("no-impression").asLong()).isEqualTo(1);
    assertThat(report.path("orphanedBy").path("no-parent").asLong()).isEqualTo(1);
    assertThat(report.path("skewed").asLong()).as("the first click").isEqualTo(1);
    JsonNode malformed = report.path("samples").path("malformed-json");
    assertThat(malformed.path("topic").asText()).isEqualTo("impressions");
    assertThat(malformed.path("value").asText()).isEqualTo("{broken");
    assertThat(report.path("samples").path("orphaned").path("value").asText())
        .containsAnyOf("nobody", "purchase");
    assertThat(report.path("problems").findValuesAsText("code"))
        .as("only user_id is there, and there are clicks only")
        .containsExactly("absent-field", "no-label", "no-label", "no-version", "no-version");
    JsonNode refused = report.path("refused").path("main");
    assertThat(refused.path("absent-field").asLong()).isPositive();
    assertThat(refused.path("last").asText())
        .contains("category, hour, price, tags were absent in all ");
    assertThat(report.path("examples").asLong()).isEqualTo(3 * 600);
    List<String> lines = Files.readAllLines(examples);
    assertThat(lines).hasSize(3 * 600);
    Map<String, Double> clicks = new HashMap<>();
    for (String line : lines) {
      JsonNode example = JSON.readTree(line);
      JsonNode click = example.path("labels").path("click");
      if (!click.isMissingNode()) {
        assertThat(click.path("final").asBoolean()).isTrue();
        clicks.put(example.path("impression_id").asText(), click.path("value").asDouble());
      }
    }
    assertThat(clicks).hasSize(600).containsEntry("i0", 1.0).containsEntry("i1", 0.0);
    assertThat(clicks.values().stream().filter(v -> v == 1)).hasSize(200);
  }

  private static String[] with(String[] load, Path data) {
    List<String> all = new ArrayList<>(List.of(load));
    all.addAll(List.of("--data-dir", data.toString()));
    return all.toArray(String[]::new);
  }

  /** Versions whose manifests the checkpointed job wrote, read from the broker's own log. */
  private static List<String> manifests(Path data, String model) throws Exception {
    try (var broker = EmbeddedBroker.start(data.resolve("kafka"))) {
      Pipeline pipeline = shop(broker.bootstrap());
      List<String> versions = new ArrayList<>();
      try (var topic = new ModelTopic(pipeline, model)) {
        do {
          for (var record : topic.poll(Duration.ofMillis(500))) {
            if (record.index() == ModelRecord.MANIFEST) {
              versions.add(record.version());
            }
          }
        } while (!topic.atEnd());
      }
      return versions;
    }
  }

  private static Pipeline shop(String bootstrap) throws IOException {
    return PipelineFile.read(Path.of("..", "pipelines", "shop.yaml")).withBootstrap(bootstrap);
  }
}
