package dev.freshet.experiments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.training.evaluation.QualityMetric;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TuningScoreTest {

  private static final List<Task> TASKS =
      PipelineFile.parse(
              """
              pipeline: p
              tasks:
                - {name: click, kind: binary, window: 1m}
                - {name: spent, kind: continuous, window: 1m}
              features: [{name: user, kind: categorical}]
              models: [{name: net, kind: shared-bottom}]
              """,
              "test")
          .tasks();
  private static final int[] BOTH = {0, 1};

  private final List<EncodedExample> examples = new ArrayList<>();

  private void add(double click, double spent) {
    TaskLabel[] labels = {label(click), label(spent)};
    int i = examples.size();
    examples.add(
        new EncodedExample(i + 1, i, false, new long[0], new int[] {0, 0}, labels, new float[0]));
  }

  private static TaskLabel label(double value) {
    return new TaskLabel(LabelKind.FINAL, value, 1, 0, -1, true);
  }

  private TuningScore score(int[] judged, float[]... said) {
    return new TuningScore(TASKS, judged, examples, said, Long.MIN_VALUE);
  }

  @Test
  void theBestConstantScoresOne() {
    add(1, 9);
    add(0, 0);
    add(0, 3);
    add(0, 0);
    float[] mean = {0.25f, 3};
    TuningScore constant = score(BOTH, mean, mean, mean, mean);
    assertThat(constant.total()).isCloseTo(1, within(1e-6));
    // Nothing but the mean is the best constant, for amounts as for a yes or no.
    for (float[] other : new float[][] {{0.3f, 3}, {0.2f, 3}, {0.25f, 3.3f}, {0.25f, 2.7f}}) {
      assertThat(score(BOTH, other, other, other, other).total()).isGreaterThan(1.0001);
    }
    TuningScore better =
        score(BOTH, new float[] {0.9f, 8}, new float[] {0.1f, 1}, new float[] {0.1f, 3}, mean);
    assertThat(better.total()).isLessThan(0.7);
    assertThat(better.byTask().get("click"))
        .isCloseTo(better.quality().value("click", QualityMetric.NORMALIZED_ENTROPY), within(1e-9));
    assertThat(score(new int[] {1}, mean, mean, mean, mean).byTask()).containsOnlyKeys("spent");
  }

  @Test
  void unknownIsTheMeanOfBeforeAndNoNumberIsTheWorst() {
    add(1, 4);
    add(1, 2);
    add(0, 9);
    float[] unknown = {Float.NaN, Float.NaN};
    // Krichevsky and Trofimov's rate of none, one, two yeses; amounts of 0, 4, 3 before.
    float[][] known = {{0.5f, 0}, {0.75f, 4}, {2.5f / 3, 3}};
    assertThat(score(BOTH, unknown, unknown, unknown).total())
        .isCloseTo(score(BOTH, known).total(), within(1e-4));
    known[1][0] = Float.POSITIVE_INFINITY;
    assertThat(score(BOTH, known).total()).isInfinite();
  }

  @Test
  void onlyTheNewerPartIsScored() {
    add(1, 4);
    add(0, 1);
    add(1, 2);
    float[][] said = {{0.01f, 90}, {0.5f, 1.5f}, {0.5f, 1.5f}};
    TuningScore newer = new TuningScore(TASKS, BOTH, examples, said, 1);
    assertThat(newer.total()).isCloseTo(1, within(1e-6));
    assertThat(newer.quality().value("click", QualityMetric.EXAMPLES)).isEqualTo(2);
  }

  @Test
  void onePredictionBelowZeroDoesNotDecide() {
    float[][] said = new float[99][];
    for (int i = 0; i < said.length; i++) {
      add(i % 2, 1 + i % 3);
      said[i] = new float[] {0.5f, 1 + i % 3};
    }
    assertThat(score(new int[] {1}, said).total()).isZero();
    said[1][1] = -5;
    assertThat(score(new int[] {1}, said).total()).isBetween(0.2, 0.8);
  }

  @Test
  void amountsBelowZeroAreSquared() {
    add(1, -4);
    add(0, 4);
    float[] zero = {0.5f, 0};
    assertThat(score(BOTH, zero, zero).total()).isCloseTo(1, within(1e-6));
    assertThat(score(BOTH, new float[] {0.5f, -2}, new float[] {0.5f, 2}).byTask().get("spent"))
        .isCloseTo(0.25, within(1e-6));
  }

  @Test
  void aTaskWithoutDifferencesDoesNotCount() {
    add(0, 1);
    add(0, 3);
    float[] said = {0.1f, 2};
    assertThat(score(BOTH, said, said).total()).isCloseTo(1, within(1e-6));
    assertThat(score(new int[] {0}, said, said).total()).isInfinite();
  }

  @Test
  void differencesArePairedByImpression() {
    SplittableRandom random = new SplittableRandom(1);
    float[][] one = new float[2000][];
    float[][] two = new float[2000][];
    float[][] noisy = new float[2000][];
    for (int i = 0; i < one.length; i++) {
      add(random.nextDouble() < 0.3 ? 1 : 0, random.nextDouble());
      one[i] = new float[] {0.3f, 0.5f};
      two[i] = new float[] {0.31f, 0.5f};
      noisy[i] = new float[] {random.nextBoolean() ? 0.25f : 0.35f, 0.5f};
    }
    TuningScore base = score(BOTH, one);
    assertThat(base.less(base).value()).isZero();
    assertThat(base.less(base).error()).isZero();
    TuningScore.Difference close = score(BOTH, two).less(base);
    assertThat(close.value()).isCloseTo(score(BOTH, two).total() - base.total(), within(1e-9));
    TuningScore.Difference far = score(BOTH, noisy).less(base);
    assertThat(far.error()).isGreaterThan(3 * close.error());
    assertThat(far.text()).matches("[+-]0\\.\\d{4} ± 0\\.\\d{4}");
  }

  /** A difference that comes and goes with the hours is not one of as many impressions. */
  @Test
  void whatNeighboursHaveInCommonIsErrorToo() {
    SplittableRandom random = new SplittableRandom(1);
    float[][] one = new float[4000][];
    float[][] drifting = new float[4000][];
    float[][] mixed = new float[4000][];
    for (int i = 0; i < one.length; i++) {
      boolean yes = random.nextDouble() < 0.5;
      add(yes ? 1 : 0, random.nextDouble());
      one[i] = new float[] {0.5f, 0.5f};
      float right = yes ? 0.52f : 0.48f;
      boolean better = i / 500 % 2 == 0;
      drifting[i] = new float[] {better ? right : 1 - right, 0.5f};
      mixed[i] = new float[] {i % 2 == 0 ? right : 1 - right, 0.5f};
    }
    TuningScore base = score(BOTH, one);
    double alike = score(BOTH, mixed).less(base).error();
    assertThat(score(BOTH, drifting).less(base).error()).isGreaterThan(5 * alike);
  }

  @Test
  void onlyAGainBeyondTwoErrorsPays() {
    assertThat(new TuningScore.Difference(-0.21, 0.1).pays()).isTrue();
    assertThat(new TuningScore.Difference(-0.19, 0.1).pays()).isFalse();
    assertThat(new TuningScore.Difference(0.5, 0.1).pays()).isFalse();
    assertThat(new TuningScore.Difference(0, 0).pays()).isFalse();
  }

  @Test
  void aLossBeyondTwoErrorsIsWorseAndAnErrorIsNeverNothing() {
    TuningScore.Difference worse = new TuningScore.Difference(0.0007, 0.0002);
    assertThat(worse.kept()).isEqualTo("worse, default kept");
    assertThat(worse.text()).isEqualTo("+0.0007 ± 0.0002");
    TuningScore.Difference within = new TuningScore.Difference(0.0003, 0.0002);
    assertThat(within.kept()).isEqualTo("within error, default kept");
    assertThat(new TuningScore.Difference(-0.00004, 0.000003).text())
        .isEqualTo("-0.000040 ± 0.000003");
    assertThat(new TuningScore.Difference(0, 0).text()).isEqualTo("no difference");
  }

  @Test
  void theDifferenceIsTheMeanOfTheTasks() {
    add(1, 9);
    add(0, 0);
    add(0, 3);
    float[] mean = {1 / 3f, 4};
    TuningScore base = score(BOTH, mean, mean, mean);
    TuningScore other =
        score(BOTH, new float[] {0.9f, 4}, new float[] {0.2f, 5}, new float[] {0.2f, 4});
    Map<String, TuningScore.Difference> byTask = other.lessByTask(base);
    assertThat(byTask.get("click").value())
        .isCloseTo(other.byTask().get("click") - 1, within(1e-6))
        .isLessThan(-0.4);
    assertThat(byTask.get("spent").value())
        .isCloseTo(other.byTask().get("spent") - 1, within(1e-6))
        .isGreaterThan(0.01);
    assertThat(other.less(base).value())
        .isCloseTo((byTask.get("click").value() + byTask.get("spent").value()) / 2, within(1e-9));
  }
}
