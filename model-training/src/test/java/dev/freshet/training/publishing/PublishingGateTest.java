package dev.freshet.training.publishing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.evaluation.QualityMetric;
import dev.freshet.training.publishing.PublishingGate.Reason;
import dev.freshet.training.publishing.PublishingGate.Refusal;
import dev.freshet.training.rows.EmbeddingTable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PublishingGateTest {

  private static final int BATCH = 64;
  private static final long HOUR = 3_600_000;

  private final Pipeline pipeline =
      TestingPipelines.shop("training:", "publishing: {gate: {worse-by: 0.1}}\ntraining:");
  private final PublishingGate gate = new PublishingGate(pipeline.publishing().gate());
  private final Random random = new Random(3);
  private ModelTrainer trainer;
  private int taught;

  @BeforeEach
  void train() {
    trainer = new ModelTrainer(pipeline.context(pipeline.model("plain")), pipeline.training());
    teach(200, false);
  }

  @AfterEach
  void close() {
    trainer.close();
  }

  /** As the train operator does. */
  private void teach(int batches, boolean noise) {
    for (int i = 0; i < batches; i++) {
      List<EncodedExample> batch = TestingExamples.settled(pipeline, BATCH, taught++);
      trainer.process(noise ? noise(batch) : batch);
      gate.scored(trainer.scored());
    }
  }

  /** The same impressions, whose outcomes have nothing to do with them any more. */
  private List<EncodedExample> noise(List<EncodedExample> batch) {
    List<EncodedExample> noisy = new ArrayList<>();
    for (EncodedExample example : batch) {
      TaskLabel[] labels = example.labels().clone();
      for (int task = 0; task < 2; task++) {
        labels[task] = labels[task].withValue(random.nextBoolean() ? 1 : 0);
      }
      labels[2] = labels[2].withValue(random.nextBoolean() ? 0 : 10 * random.nextDouble());
      noisy.add(example.withLabels(labels));
    }
    return noisy;
  }

  private void announce() {
    gate.announced(trainer, false, 0);
  }

  private Optional<Refusal> check(boolean changesOnly) {
    return gate.check(trainer, changesOnly, HOUR - 1);
  }

  @Test
  void soundWeightsPass() {
    assertThat(gate.check(trainer, false, 0)).isEmpty();
    announce();
    assertThat(check(true)).isEmpty();
    teach(40, false);
    assertThat(check(true)).isEmpty();
  }

  @Test
  void aWeightThatIsNoNumberIsHeldBackForEver() {
    gate.check(trainer, false, 0);
    trainer.network().weights().get(1).write(0, Float.NaN);
    refused(Reason.NOT_FINITE, "dense.");
    trainer.network().weights().get(1).write(0, Float.NEGATIVE_INFINITY);
    refused(Reason.NOT_FINITE, "dense.");
    assertThat(gate.check(trainer, true, 1000 * HOUR)).hasValueSatisfying(r -> never(r));
  }

  private static void never(Refusal refusal) {
    assertThat(refusal.forced()).isFalse();
    assertThat(refusal.reason()).isEqualTo(Reason.NOT_FINITE);
  }

  @Test
  void aLargeNormIsHeldBackUntilTheVersionInUseIsTooOld() {
    announce();
    trainer.network().weights().get(1).write(0, 5000);
    refused(Reason.LARGE_NORM, "has norm 5000");
    Refusal old = gate.check(trainer, true, HOUR).orElseThrow();
    assertThat(old.forced()).isTrue();
    assertThat(old.detail()).contains("has norm 5000");
    gate.announced(trainer, true, HOUR);
    assertThat(gate.check(trainer, true, 2 * HOUR - 1).orElseThrow().forced())
        .as("its age begins again")
        .isFalse();
    EmbeddingTable table = trainer.learner().tables().get(0);
    float[] broken = new float[table.width()];
    broken[0] = Float.NaN;
    table.update(table.find(1, 0), broken, 0, 1, 1, 1);
    assertThat(gate.check(trainer, true, 1000 * HOUR)).hasValueSatisfying(r -> never(r));
  }

  @Test
  void rowsAreLookedAtWhereTheyChanged() {
    EmbeddingTable table = trainer.learner().tables().get(0);
    table.published();
    table.update(table.find(1, 0), new float[table.width()], 0, 1, 1, 1);
    assertThat(check(true)).isEmpty();
    float[] broken = new float[table.width()];
    broken[0] = Float.NaN;
    table.update(table.find(1, 0), broken, 0, 1, 1, 1);
    refused(Reason.NOT_FINITE, "the embedding row of key");
    table.published();
    assertThat(check(true)).as("no change, no look").isEmpty();
    assertThat(check(false)).isPresent();
  }

  /** Outcomes become noise for ever: the score is far worse, and not the model's fault. */
  @Test
  void aWorldThatBecameWorseDoesNotShutTheGate() {
    trainer.scores().reset();
    teach(50, false);
    double before = trainer.quality().value("click", QualityMetric.NORMALIZED_ENTROPY);
    announce();
    for (int i = 0; i < 3; i++) {
      teach(45, true);
      assertThat(check(true)).isEmpty();
      announce();
    }
    assertThat(trainer.quality().value("click", QualityMetric.NORMALIZED_ENTROPY))
        .as("worse by more than is allowed")
        .isGreaterThan(before * 1.1);
  }

  @Test
  void aModelThatBrokeIsHeldBackOnTheSameLabels() {
    announce();
    teach(4, false);
    scramble();
    teach(8, false);
    assertThat(check(true)).as("too few labels to tell").isEmpty();
    teach(8, false);
    refused(Reason.WORSE_SCORE, "on the same 1280 labels");
    assertThat(gate.check(trainer, true, HOUR).orElseThrow().forced()).isTrue();
    gate.announced(trainer, true, HOUR);
    assertThat(check(true)).as("a forced version is the one in use").isEmpty();
  }

  /** Pushes every row far off: updates, as a step makes them. */
  private void scramble() {
    for (EmbeddingTable table : trainer.learner().tables()) {
      for (int row = 0; row < table.size(); row++) {
        float[] gradient = new float[table.width()];
        for (int i = 0; i < gradient.length; i++) {
          gradient[i] = random.nextBoolean() ? 3 : -3;
        }
        for (int i = 0; i < 400; i++) {
          table.update(row, gradient, 0, 1, 1, 1);
        }
      }
    }
  }

  @Test
  void versionsFasterThanLabelsAreJudgedByAnOlderOne() {
    announce();
    for (int i = 0; i < 5; i++) {
      teach(2, false);
      announce();
    }
    scramble();
    teach(10, false);
    refused(Reason.WORSE_SCORE, "on the same 1280 labels");
  }

  @Test
  void afterARestoreTheRestoredWeightsAreInUse() {
    PublishingGate resumed = new PublishingGate(pipeline.publishing().gate());
    resumed.restored(trainer);
    scramble();
    for (int i = 0; i < 20; i++) {
      trainer.process(TestingExamples.settled(pipeline, BATCH, 500 + i));
      resumed.scored(trainer.scored());
    }
    assertThat(resumed.check(trainer, false, 0).orElseThrow().reason())
        .isEqualTo(Reason.WORSE_SCORE);
  }

  /** How numbers are read is kept with the weights. */
  @Test
  void keptWeightsPredictWhatTheyDidAndNothingIsLeftBehind() throws IOException {
    Pipeline numbers =
        TestingPipelines.shop(
            "models:",
            "  - {name: cost, kind: numeric}\n  - {name: age, kind: numeric, as: value}\nmodels:");
    trainer.close();
    trainer = new ModelTrainer(numbers.context(numbers.model("plain")), numbers.training());
    trainer.process(TestingExamples.settled(numbers, BATCH, 100));
    List<EncodedExample> seen = TestingExamples.settled(numbers, 200, 1);
    float[][] then = trainer.network().predict(seen);
    var read = trainer.numbers();
    trainer.learner().keep();
    for (int i = 0; i < 30; i++) {
      trainer.process(TestingExamples.settled(numbers, BATCH, i));
    }
    assertThat(trainer.numbers().get("cost").edges())
        .hasSizeGreaterThan(read.get("cost").edges().length);
    float[][] now = trainer.network().predict(seen);
    assertThat(trainer.learner().predictAsKept(seen)).isDeepEqualTo(then);
    assertThat(trainer.network().predict(seen)).isDeepEqualTo(now);
    assertThat(now).isNotEqualTo(then);
  }

  private void refused(Reason reason, String detail) {
    assertThat(check(true))
        .hasValueSatisfying(
            refusal -> {
              assertThat(refusal.reason()).isEqualTo(reason);
              assertThat(refusal.detail()).contains(detail);
              assertThat(refusal.forced()).isFalse();
            });
  }
}
