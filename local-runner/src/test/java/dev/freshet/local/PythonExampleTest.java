package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.Rejection;
import dev.freshet.core.features.ExampleEncoder;
import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.core.snapshot.SnapshotAssembler;
import dev.freshet.core.snapshot.SnapshotAssembler.Snapshot;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.publishing.Lineage;
import dev.freshet.training.publishing.SnapshotWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Writes a version as {@code models export} does, impressions, and the scores that the JVM gives
 * them; {@code examples/python/check} must find the same scores in plain numpy.
 */
class PythonExampleTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String PIPELINE =
      TestingPipelines.SHOP
          .replace("name: click,", "name: click, correction: fnc,")
          .replace("training: {", "training: {negative-sampling: 0.5, ")
          .replace(
              "models:",
              "  - {name: seen, kind: categorical, many: true, rows-of: item}\n"
                  + "  - {name: liked, kind: categorical, many: true, weighted: true, rows-of: item, pooling: attention, target: item}\n"
                  + "  - {name: like, kind: categorical, many: true, pooling: attention, target: user}\n"
                  + "  - {name: topics, kind: categorical, many: true, weighted: true}\n"
                  + "  - {name: here, kind: cross, of: [tags, topics], dim: 3, admit-after: 1}\n"
                  + "  - {name: cost, kind: numeric, dim: 3}\n"
                  + "  - {name: dear, kind: cross, of: [cost, user], dim: 2, admit-after: 1}\n"
                  + "  - {name: age, kind: numeric, as: value, scale: log1p}\n"
                  + "  - {name: weight, kind: numeric, as: value, scale: log, clip: [-2, 1]}\n"
                  + "  - {name: share, kind: numeric, as: value, normalize: none, clip: [-1, 20]}\n"
                  + "  - {name: image, kind: vector, size: 3}\n"
                  + "  - {name: face, kind: vector, size: 2, normalize: none, clip: [-9, 9]}\n"
                  + "  - {name: hour, kind: time, part: hour, zone: America/St_Johns, dim: 3}\n"
                  + "  - {name: weekday, kind: time, part: weekday}\n"
                  + "  - {name: clicks, kind: count, of: click, by: item, half-life: 1h}\n"
                  + "  - {name: rate, kind: count, of: click, per: impression, by: item, half-life: 1h, dim: 3}\n"
                  + "  - {name: buys, kind: count, of: purchase, by: user, half-life: 1d, edges: [1, 3]}\n"
                  + "  - {name: often, kind: count, of: click, by: user, half-life: 1d, buckets: 5}\n"
                  + "  - {name: loved, kind: count, of: click, by: user, half-life: 1d, as: value, scale: log1p}\n"
                  + "  - {name: three, kind: cross, of: [user, tags, price], dim: 4}\n"
                  + "crosses: {kind: pairs, of: [tags, user, item], dim: 2, admit-after: 1}\n"
                  + "models:");

  /**
   * Values that were seen and that never were, absent ones, numbers in all their forms, and more
   * values than a cross takes.
   */
  private static final List<String> FEATURES =
      List.of(
          "{\"user\": \"u1\", \"item\": \"i2\", \"seen\": [\"i3\", \"never\"],"
              + " \"liked\": {\"i3\": 2, \"i2\": 1, \"i4\": 0.5}, \"like\": [\"a\", \"never\"], \"tags\": [\"t0\", \"t1\"], \"price\": 42,"
              + " \"topics\": {\"odd\": 0.7, \"even\": \"2\", \"never\": 1, \"t0\": 0},"
              + " \"cost\": 20.5, \"age\": 3, \"clicks\": 0.45, \"rate\": 0.1, \"buys\": 3, \"loved\": 2, \"weight\": 8, \"share\": 0.25, \"image\": [1, 2.5, \"-3\"]}",
          "{\"user\": \"u5\", \"cost\": \"-0.0\", \"age\": -1e6, \"weight\": -0.5, \"share\": 99,"
              + " \"image\": [], \"face\": [0.125, -44]}",
          "{\"user\": \"u6\", \"cost\": 1e300, \"age\": \"12.5\", \"often\": 0.3, \"loved\": 0, \"weight\": 1e300, \"image\": [1e30, 0, 0]}",
          "{\"user\": \"u2\", \"topics\": [\"even\", [\"t1\", 0.3], [\"\", 3]], \"tags\": \"t1\"}",
          "{\"tags\": [1, 2, 3], \"topics\": ["
              + IntStream.range(0, 40)
                  .mapToObj(i -> "[\"t" + i + "\", " + (i + 1) + "]")
                  .collect(Collectors.joining(","))
              + "]}",
          "{\"user\": \"u3\", \"item\": \"never seen\", \"tags\": \"t0\", \"price\": 0.5,"
              + " \"clicks\": 0, \"rate\": 2.5, \"buys\": \"0.9\"}",
          "{\"user\": 7.0, \"item\": true, \"tags\": [1e2, 0.50, -0.0, 12345678901234567890.0],"
              + " \"price\": \"12.5\"}",
          "{\"user\": \"u4\", \"item\": \"i1\", \"tags\": "
              + IntStream.range(0, 70).mapToObj(i -> "\"t" + i % 35 + "\"").toList()
              + "}",
          "{\"user\": null, \"liked\": [\"i1\"], \"tags\": [], \"price\": \"\"}",
          "{\"user\": \"\\u0000unknown\", \"item\": \"\\u0000absent\", \"tags\": [\"\", \"t1\"]}");

  /** What is wrong with one field each. */
  private static final List<String> REFUSED =
      List.of(
          "{\"image\": [1, 2]}",
          "{\"image\": [1, 2, 3, 4]}",
          "{\"image\": 3}",
          "{\"image\": [1, 2, \"x\"]}",
          "{\"face\": [1, null]}",
          "{\"price\": \"cheap\"}",
          "{\"price\": [3]}",
          "{\"age\": true}",
          "{\"cost\": 1e400}",
          "{\"clicks\": -1}",
          "{\"rate\": \"-0.5\"}",
          "{\"user\": [\"u1\"]}",
          "{\"user\": {\"u1\": 1}}",
          "{\"tags\": [[\"t1\"]]}",
          "{\"tags\": [null]}",
          "{\"topics\": {\"odd\": -1}}",
          "{\"topics\": [[\"odd\", 1, 2]]}");

  private final Path folder = Path.of("target", "python-example");
  private final Pipeline pipeline = PipelineFile.parse(PIPELINE, "test");

  @Test
  void writesWhatThePythonExampleReads() throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("pipeline.yaml"), PIPELINE);
    try (ModelTrainer trainer =
        new ModelTrainer(pipeline.context(pipeline.model("plain")), pipeline.training())) {
      for (int i = 0; i < 30; i++) {
        trainer.process(TestingExamples.settled(pipeline, 64, i));
      }
      Snapshot snapshot = published(trainer);
      Files.write(folder.resolve("weights.safetensors"), snapshot.bytes());
      Files.write(folder.resolve("weights.safetensors.json"), snapshot.manifest().toJson());
      int index = 0;
      for (String features : FEATURES) {
        write(trainer, features, index++);
      }
    }
    for (int i = 0; i < REFUSED.size(); i++) {
      byte[] impression = impression(REFUSED.get(i));
      Rejection rejection = parsed(impression).rejection();
      assertThat(rejection).as(REFUSED.get(i)).isNotNull();
      Files.write(folder.resolve("refused-" + i + ".json"), impression);
      Files.writeString(
          folder.resolve("refused-" + i + ".txt"),
          rejection.field() + ":\nallowed: " + rejection.allowed() + "\n");
    }
    assertThat(folder.resolve("scores-" + (FEATURES.size() - 1) + ".json")).exists();
  }

  private Snapshot published(ModelTrainer trainer) {
    SnapshotAssembler assembler = new SnapshotAssembler();
    AtomicReference<Snapshot> whole = new AtomicReference<>();
    new SnapshotWriter(pipeline)
        .write(
            trainer,
            new ModelVersion(7, trainer.steps()),
            Lineage.UNKNOWN,
            0,
            record -> {
              try {
                assembler.accept(record).ifPresent(whole::set);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    return whole.get();
  }

  private static byte[] impression(String features) {
    return ("{\"impression_id\": \"x\", \"event_time\": 1767225600000, \"features\": "
            + features
            + "}")
        .getBytes(StandardCharsets.UTF_8);
  }

  private Parsed<Impression> parsed(byte[] impression) {
    return pipeline.eventReader().impression(impression);
  }

  private void write(ModelTrainer trainer, String features, int index) throws IOException {
    byte[] impression = impression(features);
    Parsed<Impression> parsed = parsed(impression);
    assertThat(parsed.rejection()).isNull();
    ExampleEncoder encoder = new ExampleEncoder(pipeline.schema());
    float[] said = trainer.network().predict(List.of(encoder.encode(parsed.event())))[0];
    double[] served = trainer.served().served(said);
    ObjectNode scores = JSON.createObjectNode();
    for (int task = 0; task < said.length; task++) {
      scores.put(pipeline.tasks().get(task).name(), served[task]);
    }
    Files.write(folder.resolve("impression-" + index + ".json"), impression);
    Files.write(folder.resolve("scores-" + index + ".json"), JSON.writeValueAsBytes(scores));
  }
}
