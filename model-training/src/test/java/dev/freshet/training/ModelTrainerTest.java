package dev.freshet.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.codec.LayoutTooNewException;
import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.network.AmountScale;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.snapshot.Precision;
import dev.freshet.core.snapshot.WeightTensors;
import dev.freshet.training.TrainingIncidents.Kind;
import dev.freshet.training.evaluation.QualityMetric;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelTrainerTest {

  /** What snapshots begin with, before their version. */
  private static final String NAMED = "FRSH" + (char) 24 + "freshet.trainer-snapshot";

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
      assertThat(trainer.quality().value("click", QualityMetric.AUC)).isGreaterThan(0.72);
      assertThat(trainer.quality().value("purchase", QualityMetric.AUC)).isGreaterThan(0.70);
      assertThat(trainer.quality().value("purchase", QualityMetric.CALIBRATION))
          .isBetween(0.85, 1.15);
      assertThat(trainer.quality().value("revenue", QualityMetric.NRMSE)).isLessThan(0.98);
      assertThat(trainer.quality().value("revenue", QualityMetric.CALIBRATION))
          .isBetween(0.85, 1.15);
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

  /** All that optimisers keep is in the snapshot, that of delay heads' included. */
  @ParameterizedTest
  @CsvSource({
    "main, adagrad-elementwise, adagrad",
    "plain, adam, sgd",
    "plain, 'ftrl, l1: 0.01, l2: 0.1', adagrad",
    "main, adagrad, adam"
  })
  void everyOptimizerGoesOnFromItsSnapshot(String model, String rows, String dense)
      throws IOException {
    Pipeline with = optimizers(rows, dense);
    List<EncodedExample> examples = TestingExamples.settled(with, 64 * 20, 2);
    byte[] straight;
    try (ModelTrainer trainer = trainer(with, model)) {
      feed(trainer, examples);
      assertThat(trainer.steps()).isEqualTo(20);
      assertThat(trainer.incidents().count(Kind.CLIPPED_GRADIENT)).isPositive();
      straight = bytes(trainer, List.of());
    }
    byte[] half;
    try (ModelTrainer trainer = trainer(with, model)) {
      feed(trainer, examples.subList(0, 640));
      half = bytes(trainer, List.of());
    }
    try (ModelTrainer trainer = trainer(with, model)) {
      TrainerSnapshot.read(trainer, new ByteArrayInputStream(half));
      feed(trainer, examples.subList(640, examples.size()));
      assertThat(trainer.incidents().count(Kind.RESTARTED)).isZero();
      assertThat(bytes(trainer, List.of())).isEqualTo(straight);
    }
  }

  /** Weights are kept, what the optimisers knew is not, and somebody says so. */
  @Test
  void aChangedOptimizerStartsAnewAndSaysSo() throws IOException {
    List<EncodedExample> examples = TestingExamples.settled(pipeline, 64 * 20, 2);
    byte[] before;
    byte[] weights;
    try (ModelTrainer trainer = trainer(optimizers("adagrad", "adam"), "plain")) {
      feed(trainer, examples);
      before = bytes(trainer, List.of());
      weights = weights(trainer);
    }
    try (ModelTrainer trainer = trainer(optimizers("adam", "adagrad"), "plain")) {
      TrainerSnapshot.read(trainer, new ByteArrayInputStream(before));
      assertThat(weights(trainer)).isEqualTo(weights);
      assertThat(trainer.incidents().count(Kind.RESTARTED)).as("with delay heads").isEqualTo(4);
      assertThat(trainer.incidents().sample(Kind.RESTARTED))
          .isEqualTo(
              "model plain: the dense weights are learnt with adagrad from here on, which starts"
                  + " anew; it was adam");
      byte[] changed = bytes(trainer, List.of());
      feed(trainer, examples);
      byte[] straight = bytes(trainer, List.of());
      TrainerSnapshot.read(trainer, new ByteArrayInputStream(changed));
      feed(trainer, examples);
      assertThat(bytes(trainer, List.of())).isEqualTo(straight);
      assertThat(trainer.incidents().count(Kind.RESTARTED)).as("once").isEqualTo(4);
    }
    assertThat(weightsAfter(throughSgd(before), examples))
        .as("what Adam knew is gone when it comes back")
        .isNotEqualTo(weightsAfter(before, examples));
    try (ModelTrainer trainer = trainer(optimizers("ftrl", "adam"), "plain")) {
      TrainerSnapshot.read(trainer, new ByteArrayInputStream(before));
      assertThat(trainer.incidents().count(Kind.RESTARTED)).isEqualTo(2);
      assertThat(trainer.incidents().sample(Kind.RESTARTED))
          .contains("the embedding rows are learnt with ftrl from here on");
    }
  }

  /** Slots of another width than row-wise Adagrad's. To write it: {@code -Dgolden.write=true}. */
  @Test
  void readsTheFrozenSlotsOfOtherOptimizers() throws IOException {
    Pipeline with = optimizers("ftrl", "adagrad");
    Path newest = ofOthers(14);
    if (Boolean.getBoolean("golden.write") && !Files.exists(newest)) {
      try (ModelTrainer trainer = trainer(with, "plain");
          OutputStream out = new GZIPOutputStream(Files.newOutputStream(newest))) {
        TrainerSnapshot.read(trainer, new ByteArrayInputStream(unpacked(ofOthers(13))));
        out.write(bytes(trainer, List.of()));
      }
    }
    try (ModelTrainer trainer = trainer(with, "plain")) {
      byte[] frozen = unpacked(newest);
      TrainerSnapshot.read(trainer, new ByteArrayInputStream(frozen));
      assertThat(trainer.steps()).isEqualTo(3);
      assertThat(trainer.shrinkages().get(0).slope()).isBetween(0.1, 0.99);
      assertThat(trainer.incidents().count(Kind.RESTARTED)).isZero();
      assertThat(bytes(trainer, List.of())).isEqualTo(frozen);
    }
    try (ModelTrainer trainer = trainer(with, "plain")) {
      for (int older : new int[] {11, 12, 13}) {
        TrainerSnapshot.read(trainer, new ByteArrayInputStream(unpacked(ofOthers(older))));
        assertThat(bytes(trainer, List.of())).isEqualTo(unpacked(newest));
      }
    }
    try (ModelTrainer trainer = trainer(with, "plain")) {
      TrainerSnapshot.read(trainer, new ByteArrayInputStream(unpacked(ofOthers(10))));
      assertThat(trainer.steps()).isEqualTo(3);
      assertThat(trainer.shrinkages().get(0).slope())
          .as("what was learnt before there were slopes is believed by its outcomes")
          .isGreaterThan(0.7);
      assertThat(trainer.incidents().count(Kind.RESTARTED)).isZero();
    }
  }

  private static Path ofOthers(int version) {
    return Path.of("src/test/resources/golden/trainer-snapshot-" + version + "-ftrl-adagrad.gz");
  }

  private static byte[] unpacked(Path file) throws IOException {
    try (InputStream in = new GZIPInputStream(Files.newInputStream(file))) {
      return in.readAllBytes();
    }
  }

  private static byte[] throughSgd(byte[] snapshot) throws IOException {
    try (ModelTrainer trainer = trainer(optimizers("adagrad", "sgd"), "plain")) {
      TrainerSnapshot.read(trainer, new ByteArrayInputStream(snapshot));
      return bytes(trainer, List.of());
    }
  }

  private static byte[] weightsAfter(byte[] snapshot, List<EncodedExample> examples)
      throws IOException {
    try (ModelTrainer trainer = trainer(optimizers("adagrad", "adam"), "plain")) {
      TrainerSnapshot.read(trainer, new ByteArrayInputStream(snapshot));
      feed(trainer, examples.subList(0, 64));
      return weights(trainer);
    }
  }

  private static Pipeline optimizers(String rows, String dense) {
    return PipelineFile.parse(
        TestingPipelines.SHOP
            .replace("{orphan-wait", "{correction: es-dfm, orphan-wait")
            .replace(
                "training: {",
                "training: {clip-norm: 0.1, embeddings: {optimizer: "
                    + rows
                    + "}, dense: {optimizer: "
                    + dense
                    + "}, "),
        "test");
  }

  private static ModelTrainer trainer(Pipeline of, String model) {
    return new ModelTrainer(of.context(of.model(model)), of.training());
  }

  /**
   * Today's code reads the snapshots of every version of the layout and writes the newest byte for
   * byte. To write it anew, for a new version only: {@code -Dgolden.write=true}.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14})
  void readsTheFrozenSnapshots(int version) throws IOException {
    // The first version did not tell whether the step before had happened: it reads as if it had.
    List<EncodedExample> pending =
        TestingExamples.settled(pipeline, 3, 5).stream().map(ModelTrainerTest::reached).toList();
    List<EncodedExample> kept =
        version < 7 ? pending.stream().map(ModelTrainerTest::unnamed).toList() : pending;
    if (Boolean.getBoolean("golden.write") && version == 14) {
      try (ModelTrainer trainer = trainer("main");
          OutputStream out = new GZIPOutputStream(Files.newOutputStream(golden(14)))) {
        TrainerSnapshot.read(trainer, new ByteArrayInputStream(frozen(1)));
        out.write(bytes(trainer, pending));
      }
    }
    try (ModelTrainer trainer = trainer("main")) {
      byte[] frozen = frozen(version);
      int place = version < 12 ? 0 : NAMED.length();
      assertThat(frozen[place]).isEqualTo((byte) version);
      assertThat(new String(frozen, 0, place, StandardCharsets.US_ASCII))
          .isEqualTo(NAMED.substring(0, place));
      var around = TrainerSnapshot.read(trainer, new ByteArrayInputStream(frozen));
      assertThat(trainer.steps()).isEqualTo(3);
      assertThat(trainer.examples()).isEqualTo(192);
      assertThat(trainer.evidence().examples()).isEqualTo(192);
      assertThat(trainer.evidence().absentFields()).as("nobody knows").isEmpty();
      assertThat(trainer.evidence().fruitless()).as("nobody knows").isEmpty();
      assertThat(around.batch()).usingRecursiveComparison().isEqualTo(kept);
      assertThat(around.sources()).isEqualTo(version < 4 ? List.of() : SOURCES);
      assertThat(bytes(trainer, pending)).isEqualTo(frozen(14));
    }
  }

  @Test
  void saysOfSnapshotsThatItCannotReadWhatTheyAre() throws IOException {
    try (ModelTrainer trainer = trainer("main")) {
      byte[] newer = frozen(14);
      newer[NAMED.length()] = 15;
      assertThatThrownBy(() -> TrainerSnapshot.read(trainer, new ByteArrayInputStream(newer)))
          .isInstanceOf(LayoutTooNewException.class)
          .hasMessageContaining("freshet.trainer-snapshot has version 15");
      byte[] batch =
          NAMED.replace("trainer-snapshot", "training-logging").getBytes(StandardCharsets.US_ASCII);
      assertThatThrownBy(() -> TrainerSnapshot.read(trainer, new ByteArrayInputStream(batch)))
          .isExactlyInstanceOf(IOException.class)
          .hasMessage("these bytes are no freshet.trainer-snapshot but a freshet.training-logging");
      byte[] bare = {12};
      assertThatThrownBy(() -> TrainerSnapshot.read(trainer, new ByteArrayInputStream(bare)))
          .as("without a header there were eleven")
          .hasMessageContaining("these bytes are no freshet.trainer-snapshot");
    }
  }

  private static Path golden(int version) {
    return Path.of("src/test/resources/golden/trainer-snapshot-" + version + ".gz");
  }

  private static byte[] frozen(int version) throws IOException {
    return unpacked(golden(version));
  }

  /** As it was kept before impressions were named. */
  private static EncodedExample unnamed(EncodedExample e) {
    return new EncodedExample(
        e.id(), e.eventTime(), e.holdout(), e.keys(), e.starts(), e.labels(), e.served());
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
      trainer.process(bare);
      assertThat(trainer.steps()).isEqualTo(2);
      assertThat(trainer.quality().value("click", QualityMetric.EXAMPLES)).isEqualTo(64);
    }
  }

  /** A batch that cannot be learnt is as if its examples had been held out. */
  @ParameterizedTest
  @ValueSource(strings = {"main", "plain"})
  void aDivergedBatchLeavesNothingBehind(String model) throws IOException {
    List<EncodedExample> examples = TestingExamples.settled(pipeline, 64 * 12, 4);
    List<EncodedExample> diverged = new ArrayList<>(examples.subList(64 * 10, 64 * 11));
    EncodedExample heavy = diverged.get(5);
    TaskLabel[] labels = heavy.labels().clone();
    labels[1] = labels[1].withWeight(Float.MAX_VALUE);
    labels[2] = labels[2].withValue(1e200);
    diverged.set(5, heavy.withLabels(labels));
    byte[] straight;
    try (ModelTrainer trainer = trainer(model)) {
      feed(trainer, examples.subList(0, 64 * 10));
      byte[] weights = weights(trainer);
      AmountScale amounts = trainer.amounts();
      trainer.process(diverged);
      assertThat(weights(trainer)).isEqualTo(weights);
      assertThat(trainer.amounts()).isEqualTo(amounts);
      assertThat(trainer.steps()).isEqualTo(10);
      assertThat(trainer.examples()).isEqualTo(64 * 11);
      assertThat(trainer.incidents().count(Kind.SKIPPED)).isEqualTo(1);
      assertThat(trainer.incidents().sample(Kind.SKIPPED))
          .startsWith("model " + model + ", step 10: ")
          .contains("task purchase")
          .contains("those of these impressions are the furthest off: x4-645, x4-");
      feed(trainer, examples.subList(64 * 11, 64 * 12));
      assertThat(trainer.steps()).isEqualTo(11);
      straight = bytes(trainer, List.of());
    }
    byte[] half;
    try (ModelTrainer trainer = trainer(model)) {
      feed(trainer, examples.subList(0, 64 * 10));
      trainer.process(diverged);
      half = bytes(trainer, List.of());
    }
    try (ModelTrainer trainer = trainer(model)) {
      TrainerSnapshot.read(trainer, new ByteArrayInputStream(half));
      assertThat(trainer.incidents().sample(Kind.SKIPPED)).contains("task purchase");
      feed(trainer, examples.subList(64 * 11, 64 * 12));
      assertThat(bytes(trainer, List.of())).isEqualTo(straight);
    }
  }

  private static byte[] weights(ModelTrainer trainer) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    WeightTensors.base(trainer.network(), trainer.learner().tables(), Precision.FLOAT32).write(out);
    return out.toByteArray();
  }

  @Test
  void aGradientBeyondTheBoundIsLeftOutToo() {
    Pipeline strict = TestingPipelines.shop("training: {", "training: {max-norm: 1e-6, ");
    try (ModelTrainer trainer =
        new ModelTrainer(strict.context(strict.model("plain")), strict.training())) {
      trainer.process(TestingExamples.settled(strict, 64, 1));
      assertThat(trainer.steps()).isZero();
      assertThat(trainer.incidents().sample(Kind.SKIPPED))
          .contains("a gradient's norm is not finite or above 1.0E-6");
    }
  }

  @Test
  void onlyARunOfDivergedBatchesStopsTheTraining() {
    Pipeline patient = TestingPipelines.shop("training: {", "training: {max-skipped: 3, ");
    try (ModelTrainer trainer =
        new ModelTrainer(patient.context(patient.model("plain")), patient.training())) {
      List<EncodedExample> examples = TestingExamples.settled(pipeline, 64 * 5, 1);
      feed(trainer, examples.subList(0, 64 * 2));
      trainer.network().weights().get(0).write(0, Float.NaN);
      feed(trainer, examples.subList(64 * 2, 64 * 4));
      assertThat(trainer.quality().value("click", QualityMetric.EXAMPLES))
          .as("of nothing, what is said first; what is not a number is in no score")
          .isEqualTo(64);
      assertThat(trainer.incidents().count(Kind.UNSCORED)).isEqualTo(2 * 64 * 3);
      assertThatThrownBy(() -> feed(trainer, examples.subList(64 * 4, 64 * 5)))
          .isInstanceOf(TrainingDivergedException.class)
          .hasMessageContaining("model plain, step 2: 3 batches in a row cannot be learnt")
          .hasMessageContaining("the loss of task click is NaN")
          .hasMessageContaining("impressions are the furthest off: x1-");
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
