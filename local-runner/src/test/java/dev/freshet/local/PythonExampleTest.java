package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.publishing.Lineage;
import dev.freshet.core.publishing.ModelVersion;
import dev.freshet.core.publishing.SnapshotAssembler;
import dev.freshet.core.publishing.SnapshotAssembler.Snapshot;
import dev.freshet.core.training.ModelTrainer;
import dev.freshet.core.training.ServedScale;
import dev.freshet.core.training.TestingExamples;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
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
          .replace("training: {", "training: {negative-sampling: 0.5, ");

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
      // Users and tags that were seen, and some that never were.
      List<LabeledExample> examples = TestingExamples.labelled(5, 99);
      for (int i = 0; i < examples.size(); i++) {
        write(trainer, examples.get(i), i);
      }
    }
    assertThat(folder.resolve("scores-4.json")).exists();
  }

  private Snapshot published(ModelTrainer trainer) {
    SnapshotAssembler assembler = new SnapshotAssembler();
    AtomicReference<Snapshot> whole = new AtomicReference<>();
    pipeline
        .writer()
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

  private void write(ModelTrainer trainer, LabeledExample example, int index) throws IOException {
    RawFeatures raw = (RawFeatures) example.impression().features();
    ObjectNode impression = JSON.createObjectNode().put("impression_id", "x" + index);
    ObjectNode features = impression.putObject("features");
    List<String> names = pipeline.schema().categorical();
    for (int i = 0; i < names.size(); i++) {
      ArrayNode values = features.putArray(names.get(i));
      for (String value : raw.categories()[i]) {
        values.add(index == 4 ? "never seen " + value : value);
      }
      if (index == 4) {
        raw.categories()[i] =
            List.of(raw.categories()[i]).stream()
                .map(value -> "never seen " + value)
                .toArray(String[]::new);
      }
    }
    features.put("price", raw.numbers()[0]);
    FeatureEncoder encoder = new FeatureEncoder(pipeline.schema(), 0);
    float[] said = trainer.network().predict(List.of(encoder.encode(example)))[0];
    ServedScale served =
        new ServedScale(
            2,
            trainer.scale(),
            pipeline.tasks().stream().map(Task::correction).toList(),
            trainer.sampling());
    ObjectNode scores = JSON.createObjectNode();
    for (int task = 0; task < said.length; task++) {
      scores.put(pipeline.tasks().get(task).name(), served.served(task, said[task]));
    }
    Files.write(
        folder.resolve("impression-" + index + ".json"), JSON.writeValueAsBytes(impression));
    Files.write(folder.resolve("scores-" + index + ".json"), JSON.writeValueAsBytes(scores));
  }
}
