package dev.freshet.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.ExampleEncoder;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.training.evaluation.QualityMetric;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Lognormal amounts of users and items that differ, in several currencies: the mean is met. */
class AmountCalibrationTest {

  private static final int BATCH = 64;
  private static final int BATCHES = 200;

  @ParameterizedTest
  @CsvSource({
    "log1p, main, 0.05, 0.01",
    "log1p, main, 0.6, 20000",
    "log1p, plain, 0.05, 20000",
    "log1p, plain, 0.6, 1",
    "none, main, 0.05, 20000",
    "none, plain, 0.6, 0.01",
    "zscore, main, 0.05, 1",
    "zscore, plain, 0.6, 20000",
    "deviation, main, 0.05, 0.01",
    "deviation, plain, 0.6, 20000"
  })
  void theMeanIsMet(String transform, String model, double bought, double unit) {
    Pipeline pipeline = TestingPipelines.shop("transform: zscore", "transform: " + transform);
    try (ModelTrainer trainer =
        trained(pipeline, model, bought, unit, bought < 0.1 ? 2 * BATCHES : BATCHES)) {
      Map<QualityMetric, Double> quality = trainer.quality().byTask().get("revenue");
      assertThat(quality.get(QualityMetric.CALIBRATION)).isBetween(0.9, 1.1);
      held(trainer);
      assertThat(trainer.incidents().count(TrainingIncidents.Kind.SKIPPED)).isZero();
      assertThat(trainer.incidents().count(TrainingIncidents.Kind.CLIPPED)).isLessThan(10);
      if (bought > 0.5) {
        assertThat(quality.get(QualityMetric.SPEARMAN)).isGreaterThan(0.25);
      }
    }
  }

  // The first batches, until there are enough amounts to measure by.
  private static void held(ModelTrainer trainer) {
    assertThat(trainer.incidents().count(TrainingIncidents.Kind.HELD)).isLessThan(6 * BATCH);
  }

  /**
   * Twelve steps of the default size: the model has hardly learnt, the mean is met nevertheless.
   */
  @ParameterizedTest
  @CsvSource({"log1p", "none", "zscore", "deviation"})
  void theMeanIsMetEarly(String transform) {
    Pipeline pipeline =
        PipelineFile.parse(
            TestingPipelines.SHOP
                .replace("transform: zscore", "transform: " + transform)
                .replace("batch: 64", "batch: 1024"),
            "test");
    try (ModelTrainer trainer =
        new ModelTrainer(pipeline.context(pipeline.model("plain")), pipeline.training())) {
      List<EncodedExample> examples = lognormal(pipeline, 1024 * 12, 0.1, 20_000, 5);
      for (int i = 0; i < examples.size(); i += 1024) {
        trainer.process(examples.subList(i, i + 1024));
      }
      assertThat(trainer.quality().value("revenue", QualityMetric.CALIBRATION))
          .isBetween(0.85, 1.15);
    }
  }

  /** A currency is a factor: a power of two leaves every weight what it was, to the bit. */
  @ParameterizedTest
  @CsvSource({"log1p", "none", "zscore", "deviation"})
  void weightsDoNotKnowTheCurrency(String transform) {
    Pipeline pipeline = TestingPipelines.shop("transform: zscore", "transform: " + transform);
    try (ModelTrainer units = trained(pipeline, "plain", 0.3, 1, 20);
        ModelTrainer large = trained(pipeline, "plain", 0.3, 1 << 14, 20)) {
      assertThat(large.network().weights()).isEqualTo(units.network().weights());
      assertThat(large.amounts().unit()).isEqualTo(units.amounts().unit() * (1 << 14));
      assertThat(large.amounts().factor()).isEqualTo(units.amounts().factor());
    }
  }

  /** Orders of 1e200, of 999,999 and at the ends of the range, from the very first example on. */
  @ParameterizedTest
  @CsvSource({"log1p", "none", "zscore", "deviation"})
  void noAmountSpoilsAModel(String transform) {
    double[] wild = {1e200, 999_999_999, Double.MAX_VALUE, -Double.MAX_VALUE, Double.MIN_VALUE};
    Pipeline pipeline = TestingPipelines.shop("transform: zscore", "transform: " + transform);
    try (ModelTrainer trainer =
        new ModelTrainer(pipeline.context(pipeline.model("plain")), pipeline.training())) {
      List<EncodedExample> examples = lognormal(pipeline, BATCH * BATCHES, 0.5, 1, 11);
      for (int i = 0; i < 200; i++) {
        // One of them first, then in a fiftieth of the examples of the first quarter.
        EncodedExample example = examples.get(i * 25);
        TaskLabel[] labels = example.labels().clone();
        labels[2] = labels[2].withValue(wild[i % wild.length]);
        examples.set(i * 25, example.withLabels(labels));
      }
      for (int i = 0; i < examples.size(); i += BATCH) {
        trainer.process(examples.subList(i, i + BATCH));
        assertThat(trainer.amounts().sound()).isTrue();
      }
      assertThat(trainer.incidents().count(TrainingIncidents.Kind.SKIPPED)).isZero();
      assertThat(trainer.incidents().count(TrainingIncidents.Kind.CLIPPED)).isBetween(155L, 200L);
      assertThat(trainer.incidents().sample(TrainingIncidents.Kind.CLIPPED))
          .contains("task revenue, impression x11-0: ")
          .contains("1.0E200 is learnt as ");
      for (Map<QualityMetric, Double> quality : trainer.quality().byTask().values()) {
        assertThat(quality.values()).allMatch(Double::isFinite);
      }
      trainer.scores().reset();
      List<EncodedExample> after = lognormal(pipeline, BATCH * 60, 0.5, 1, 12);
      for (int i = 0; i < after.size(); i += BATCH) {
        trainer.process(after.subList(i, i + BATCH));
      }
      assertThat(trainer.quality().value("revenue", QualityMetric.CALIBRATION))
          .isBetween(0.8, 1.25);
    }
  }

  private static ModelTrainer trained(
      Pipeline pipeline, String model, double bought, double unit, int batches) {
    ModelTrainer trainer =
        new ModelTrainer(pipeline.context(pipeline.model(model)), pipeline.training());
    List<EncodedExample> examples = lognormal(pipeline, BATCH * batches, bought, unit, 7);
    for (int i = 0; i < examples.size(); i += BATCH) {
      trainer.process(examples.subList(i, i + BATCH));
    }
    return trainer;
  }

  static List<EncodedExample> lognormal(
      Pipeline pipeline, int count, double bought, double unit, long seed) {
    ExampleEncoder encoder = new ExampleEncoder(pipeline.schema(), pipeline.labels().holdout());
    SplittableRandom random = new SplittableRandom(seed);
    Random gauss = new Random(seed);
    List<EncodedExample> examples = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int user = random.nextInt(20);
      int item = random.nextInt(10);
      boolean purchase = random.nextDouble() < bought * (0.5 + item / 9.0);
      double amount =
          purchase ? unit * Math.exp(3 + (user % 5 - 2) * 0.3 + gauss.nextGaussian()) : 0;
      String[][] categories = {{"t" + user % 3, "t" + item % 4}, {"u" + user}, {"i" + item}};
      RawFeatures features = new RawFeatures(categories, new double[] {item * 7});
      Impression impression =
          new Impression("x" + seed + "-" + i, 1_767_225_600_000L + i, features, null);
      TaskLabel yes = new TaskLabel(LabelKind.FINAL, purchase ? 1 : 0, 1, 1000, -1, true);
      TaskLabel[] labels = {
        yes, yes, new TaskLabel(LabelKind.FINAL, amount, 1, 1000, -1, purchase)
      };
      examples.add(encoder.encode(new LabeledExample(impression, impression.eventTime(), labels)));
    }
    return examples;
  }
}
