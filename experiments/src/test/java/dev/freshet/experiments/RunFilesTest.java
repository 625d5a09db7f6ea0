package dev.freshet.experiments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.labels.TaskKind;
import dev.freshet.training.evaluation.QualityAccumulator;
import dev.freshet.training.evaluation.QualityMetric;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What other learners are given is what Freshet's own figures are made of. */
class RunFilesTest {

  private static final String SHOP =
      """
      experiment: rare
      data: {kind: shop, impressions: 6000, days: 1}
      seeds: [5]
      baseline: small
      metrics: [click.auc, revenue.spearman]
      pipeline:
        pipeline: rare
        tasks:
          - {name: click, kind: binary, window: 10m}
          - {name: purchase, kind: binary, window: 1h}
          - {name: revenue, kind: continuous, window: 30m}
        features:
          - {name: user_id, kind: categorical}
          - {name: price, kind: numeric, buckets: 8, from: 1, to: 400, scale: log}
          - {name: tags, kind: categorical, many: true}
        models: [{name: net, kind: shared-bottom, bottom: [8], tower: [8]}]
        training: {scoring: {window: 0}}
      variants:
        - {name: small, override: {training: {batch: 64}}}
        - {name: large, override: {training: {batch: 256}}}
        - {name: early, override: {labels: {correction: es-dfm}, training: {batch: 64}}}
        - {name: later, override: {training: {batch: 64, scoring: {from: 2026-01-06}}}}
      """;

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private JsonNode runs;

  @BeforeEach
  void run() throws Exception {
    Path file = folder.resolve("experiment.yaml");
    Files.writeString(file, SHOP);
    PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
    new ExperimentRun(ExperimentFile.read(file), 2, nowhere, folder).run();
    runs = JSON.readTree(folder.resolve("runs.json").toFile());
  }

  @Test
  void everyFigureCanBeMadeAgainFromTheFiles() throws IOException {
    assertThat(runs.path("runs")).hasSize(4);
    for (JsonNode run : runs.path("runs")) {
      String name = run.path("model").asText();
      List<JsonNode> examples = lines(run.path("examples").asText());
      FloatBuffer said = predictions(run.path("predictions").asText(), examples.size(), 3);
      QualityAccumulator clicks = new QualityAccumulator(TaskKind.BINARY);
      QualityAccumulator amounts = new QualityAccumulator(TaskKind.CONTINUOUS);
      int unknown = 0;
      int unknownClicks = 0;
      for (int i = 0; i < examples.size(); i++) {
        JsonNode labels = examples.get(i).path("labels");
        float click = said.get(3 * i);
        float amount = said.get(3 * i + 2);
        if (Float.isFinite(click)) {
          assertThat(labels.path("click").path("final").asBoolean()).as(name).isTrue();
          clicks.add(click, labels.path("click").path("value").asDouble());
        }
        if (Float.isFinite(amount)) {
          amounts.add(amount, labels.path("revenue").path("value").asDouble());
        }
        unknown += Float.isNaN(amount) ? 1 : 0;
        unknownClicks += Float.isNaN(click) ? 1 : 0;
      }
      JsonNode metrics = run.path("metrics");
      for (QualityMetric metric :
          List.of(QualityMetric.AUC, QualityMetric.LOG_LOSS, QualityMetric.CALIBRATION)) {
        assertThat(clicks.value(metric))
            .as(name + " " + metric)
            .isCloseTo(
                metrics.path("click." + metric.key()).asDouble(),
                within(unknownClicks == 0 ? 1e-6 : 0.01));
      }
      double scored = metrics.path("revenue.examples").asDouble();
      if (unknown == 0) {
        assertThat((double) amounts.count()).as(name).isEqualTo(scored);
        assertThat(amounts.value(QualityMetric.SPEARMAN))
            .as(name)
            .isCloseTo(metrics.path("revenue.spearman").asDouble(), within(1e-6));
      } else {
        // Scored against the running mean, but for those that came before the first.
        assertThat(scored).as(name).isBetween((double) amounts.count(), 6000.0);
      }
    }
  }

  @Test
  void runsOfTheSameExamplesNameTheSameFile() throws IOException {
    Map<String, Set<String>> byFile = new java.util.TreeMap<>();
    for (JsonNode run : runs.path("runs")) {
      byFile
          .computeIfAbsent(run.path("examples").asText(), file -> new HashSet<>())
          .add(run.path("model").asText());
    }
    assertThat(byFile.values())
        .containsExactlyInAnyOrder(Set.of("small", "large", "later"), Set.of("early"));
    assertThat(runs.path("examples")).hasSize(2);
    JsonNode first = lines(runs.path("runs").get(0).path("examples").asText()).get(0);
    assertThat(first.path("features").path("user_id").asText()).startsWith("u");
    assertThat(first.path("features").path("price").isDouble()).isTrue();
    assertThat(first.path("features").path("tags")).hasSize(2);
    for (JsonNode run : runs.path("runs")) {
      boolean later = run.path("model").asText().equals("later");
      assertThat(run.path("scoredFrom").asText()).isEqualTo(later ? "2026-01-06" : "null");
    }
  }

  @Test
  void theTruthIsThereWhereImpressionsBringIt() throws IOException {
    for (JsonNode file : runs.path("examples")) {
      List<JsonNode> examples = lines(file.path("file").asText());
      FloatBuffer truth = predictions(file.path("served").asText(), examples.size(), 3);
      double said = 0;
      double clicks = 0;
      for (int i = 0; i < examples.size(); i++) {
        JsonNode click = examples.get(i).path("labels").path("click");
        if (click.path("final").asBoolean()) {
          said += truth.get(3 * i);
          clicks += click.path("value").asDouble();
        }
      }
      assertThat(said / clicks).isCloseTo(1, within(0.12));
    }
  }

  @Test
  void whatIsHeldOutIsNotLearnt() throws IOException {
    List<JsonNode> examples = lines(runs.path("runs").get(0).path("examples").asText());
    long kept = examples.stream().filter(RunFilesTest::learnt).count();
    // A hundredth is held out by default.
    assertThat(kept).isBetween((long) (0.975 * examples.size()), examples.size() - 1L);
  }

  private static boolean learnt(JsonNode example) {
    for (JsonNode label : example.path("labels")) {
      if (label.path("weight").asDouble() > 0) {
        return true;
      }
    }
    return false;
  }

  private List<JsonNode> lines(String name) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(folder.resolve(name))),
                StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lines.add(JSON.readTree(line));
      }
    }
    return lines;
  }

  /** Reads NumPy's format by its description, not by the class that writes it. */
  private FloatBuffer predictions(String name, int rows, int columns) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.wrap(Files.readAllBytes(folder.resolve(name))).order(ByteOrder.LITTLE_ENDIAN);
    byte[] magic = new byte[8];
    bytes.get(magic);
    assertThat(magic).isEqualTo(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
    byte[] header = new byte[bytes.getShort()];
    bytes.get(header);
    assertThat(bytes.position() % 64).isZero();
    assertThat(new String(header, StandardCharsets.US_ASCII))
        .contains("'descr': '<f4'")
        .contains("'shape': (" + rows + ", " + columns + ")")
        .endsWith("\n");
    assertThat(bytes.remaining()).isEqualTo(4 * rows * columns);
    return bytes.slice().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
  }
}
