package dev.freshet.core.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelTrainerTest {

  private static final List<SourcePosition> SOURCES =
      List.of(new SourcePosition("clicks", 1, 42, 1_767_225_600_500L));

  private final Pipeline pipeline = TestingPipelines.shop();

  @ParameterizedTest
  @ValueSource(strings = {"main", "plain"})
  void learnsAToyProblem(String model) {
    List<EncodedExample> examples = TestingExamples.settled(pipeline, 64 * 400, 1);
    try (ModelTrainer trainer = trainer(model)) {
      feed(trainer, examples);
      assertThat(trainer.steps()).isEqualTo(400);
      assertThat(trainer.quality().get("click").get("auc")).isGreaterThan(0.72);
      assertThat(trainer.quality().get("purchase").get("auc")).isGreaterThan(0.70);
      assertThat(trainer.quality().get("purchase").get("calibration")).isBetween(0.85, 1.15);
      assertThat(trainer.quality().get("revenue").get("nrmse")).isLessThan(0.98);
      assertThat(trainer.quality().get("revenue").get("calibration")).isBetween(0.85, 1.15);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"main", "plain"})
  void restoreAndContinueEqualsNeverHavingStopped(String model) throws IOException {
    List<EncodedExample> examples = TestingExamples.settled(pipeline, 64 * 20, 2);
    byte[] straight;
    try (ModelTrainer trainer = trainer(model)) {
      feed(trainer, examples);
      straight = bytes(trainer, List.of());
    }
    byte[] half;
    List<EncodedExample> pending = examples.subList(640, 650);
    try (ModelTrainer trainer = trainer(model)) {
      feed(trainer, examples.subList(0, 640));
      half = bytes(trainer, pending);
    }
    try (ModelTrainer trainer = trainer(model)) {
      TrainerSnapshot.Surroundings around =
          TrainerSnapshot.read(trainer, new ByteArrayInputStream(half));
      assertThat(around.run()).isEqualTo(7);
      assertThat(around.batch()).usingRecursiveComparison().isEqualTo(pending);
      feed(trainer, examples.subList(640, examples.size()));
      assertThat(bytes(trainer, List.of())).isEqualTo(straight);
    }
  }

  /**
   * Today's code reads the snapshots of every version of the layout and writes the newest byte for
   * byte. To write it anew, for a new version only: {@code -Dgolden.write=true}.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void readsTheFrozenSnapshots(int version) throws IOException {
    // The first version did not tell whether the step before had happened: it reads as if it had.
    List<EncodedExample> pending =
        TestingExamples.settled(pipeline, 3, 5).stream().map(ModelTrainerTest::reached).toList();
    if (Boolean.getBoolean("golden.write") && version == 4) {
      try (ModelTrainer trainer = trainer("main");
          OutputStream out = new GZIPOutputStream(Files.newOutputStream(golden(4)))) {
        TrainerSnapshot.read(trainer, new ByteArrayInputStream(frozen(1)));
        out.write(bytes(trainer, pending));
      }
    }
    try (ModelTrainer trainer = trainer("main")) {
      byte[] frozen = frozen(version);
      assertThat(frozen[0]).isEqualTo((byte) version);
      var around = TrainerSnapshot.read(trainer, new ByteArrayInputStream(frozen));
      assertThat(trainer.steps()).isEqualTo(3);
      assertThat(trainer.examples()).isEqualTo(192);
      assertThat(around.batch()).usingRecursiveComparison().isEqualTo(pending);
      assertThat(around.sources()).isEqualTo(version < 4 ? List.of() : SOURCES);
      assertThat(bytes(trainer, pending)).isEqualTo(frozen(4));
      frozen[0] = 9;
      assertThatThrownBy(() -> TrainerSnapshot.read(trainer, new ByteArrayInputStream(frozen)))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("version 9 is unknown");
    }
  }

  private static Path golden(int version) {
    return Path.of("src/test/resources/golden/trainer-snapshot-" + version + ".gz");
  }

  private static byte[] frozen(int version) throws IOException {
    try (InputStream in = new GZIPInputStream(Files.newInputStream(golden(version)))) {
      return in.readAllBytes();
    }
  }

  private static EncodedExample reached(EncodedExample example) {
    TaskLabel[] labels =
        Stream.of(example.labels())
            .map(l -> new TaskLabel(l.kind(), l.value(), l.weight(), l.elapsed(), l.delay(), true))
            .toArray(TaskLabel[]::new);
    return example.withLabels(labels);
  }

  @Test
  void aSnapshotOfAnotherShapeIsRefusedWithWhatToDo() throws IOException {
    byte[] snapshot;
    try (ModelTrainer trainer = trainer("main")) {
      snapshot = bytes(trainer, List.of());
    }
    Pipeline other = TestingPipelines.shop("tower: [16, 8], tau", "tower: [16, 4], tau");
    try (ModelTrainer trainer =
        new ModelTrainer(other.context(other.model("main")), other.training())) {
      assertThatThrownBy(() -> TrainerSnapshot.read(trainer, new ByteArrayInputStream(snapshot)))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("give the model a new name");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"main", "plain"})
  void impressionsWithoutAnyFeatureAreLearntFromToo(String model) {
    List<EncodedExample> bare =
        TestingExamples.settled(pipeline, 64, 1).stream()
            .map(
                e ->
                    new EncodedExample(
                        e.id(), 0, false, new long[0], new int[5], e.labels(), new float[0]))
            .toList();
    try (ModelTrainer trainer = trainer(model)) {
      trainer.process(bare);
      assertThat(trainer.steps()).isEqualTo(1);
      assertThat(trainer.quality().get("click").get("examples")).isEqualTo(64);
    }
  }

  @Test
  void weightsThatAreNotFiniteStopTheTraining() {
    try (ModelTrainer trainer = trainer("plain")) {
      trainer.network().weights().get(0).put(0, Float.NaN);
      assertThatThrownBy(() -> feed(trainer, TestingExamples.settled(pipeline, 64, 1)))
          .isInstanceOf(TrainingDivergedException.class)
          .hasMessageContaining("model plain, step 1: the loss of task click is NaN");
    }
  }

  private ModelTrainer trainer(String model) {
    return new ModelTrainer(pipeline.context(pipeline.model(model)), pipeline.training());
  }

  private static void feed(ModelTrainer trainer, List<EncodedExample> examples) {
    for (int i = 0; i < examples.size(); i += 64) {
      trainer.process(examples.subList(i, i + 64));
    }
  }

  private static byte[] bytes(ModelTrainer trainer, List<EncodedExample> pending)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    TrainerSnapshot.write(
        trainer,
        new TrainerSnapshot.Surroundings(7, pending, new int[] {1, 2}, SOURCES, 1_767_225_600_000L),
        out);
    return out.toByteArray();
  }
}
