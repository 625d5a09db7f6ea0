package dev.freshet.training.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.freshet.core.labels.TaskKind;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class QualityTest {

  @Test
  void binaryMetricsByHand() {
    QualityAccumulator quality = new QualityAccumulator(TaskKind.BINARY);
    quality.add(0.8, 1);
    quality.add(0.6, 0);
    quality.add(0.3, 1);
    quality.add(0.1, 0);
    Map<QualityMetric, Double> metrics = quality.metrics();
    // Pairs won: 0.8 beats both, 0.3 beats one of two.
    assertThat(metrics.get(QualityMetric.AUC)).isEqualTo(0.75);
    double loss = -(Math.log(0.8) + Math.log(0.4) + Math.log(0.3) + Math.log(0.9)) / 4;
    assertThat(metrics.get(QualityMetric.LOG_LOSS)).isCloseTo(loss, within(1e-12));
    assertThat(metrics.get(QualityMetric.NORMALIZED_ENTROPY))
        .isCloseTo(loss / Math.log(2), within(1e-12));
    assertThat(metrics.get(QualityMetric.CALIBRATION)).isCloseTo(0.9, within(1e-12));
  }

  @Test
  void tiesCountHalfAndOneClassHasNoAuc() {
    QualityAccumulator quality = new QualityAccumulator(TaskKind.BINARY);
    quality.add(0.5, 1);
    assertThat(quality.metrics())
        .doesNotContainKeys(QualityMetric.AUC, QualityMetric.NORMALIZED_ENTROPY);
    quality.add(0.5, 0);
    assertThat(quality.metrics().get(QualityMetric.AUC)).isEqualTo(0.5);
    assertThat(new QualityAccumulator(TaskKind.BINARY).metrics())
        .containsOnlyKeys(QualityMetric.EXAMPLES);
  }

  @Test
  void amountMetricsByHand() {
    QualityAccumulator quality = new QualityAccumulator(TaskKind.CONTINUOUS);
    quality.add(1, 0);
    quality.add(2, 4);
    quality.add(3, 2);
    Map<QualityMetric, Double> metrics = quality.metrics();
    assertThat(metrics.get(QualityMetric.MAE)).isCloseTo(4.0 / 3, within(1e-12));
    assertThat(metrics.get(QualityMetric.NMAE)).isCloseTo(4.0 / 3 / 2, within(1e-12));
    assertThat(metrics.get(QualityMetric.RMSE)).isCloseTo(Math.sqrt(2), within(1e-12));
    assertThat(metrics.get(QualityMetric.NRMSE))
        .isCloseTo(Math.sqrt(2) / Math.sqrt(8.0 / 3), within(1e-12));
    assertThat(metrics.get(QualityMetric.CALIBRATION)).isEqualTo(1);
    assertThat(metrics.get(QualityMetric.SPEARMAN)).isCloseTo(0.5, within(1e-12));
    // Gain of the order 3, 2, 1: (2/6 + 1 + 1)/3 - 2/3 = 1/9; of the best: (4/6 + 1 + 1)/3 - 2/3 =
    // 2/9.
    assertThat(metrics.get(QualityMetric.GINI)).isCloseTo(0.5, within(1e-12));
  }

  @Test
  void aConstantPredictionGainsNothing() {
    QualityAccumulator quality = new QualityAccumulator(TaskKind.CONTINUOUS);
    for (int i = 0; i < 10; i++) {
      quality.add(3, i);
    }
    assertThat(quality.metrics().get(QualityMetric.GINI)).isCloseTo(0, within(1e-12));
    assertThat(quality.metrics()).doesNotContainKey(QualityMetric.SPEARMAN);
  }

  @Test
  void averagePrecisionIsThatOfTheRanking() {
    QualityAccumulator quality = new QualityAccumulator(TaskKind.BINARY);
    double[] predictions = {0.9, 0.8, 0.6, 0.3};
    int[] labels = {1, 0, 1, 0};
    for (int i = 0; i < labels.length; i++) {
      quality.add(predictions[i], labels[i]);
    }
    // Precision 1 at the first yes, 2/3 at the second.
    assertThat(quality.metrics().get(QualityMetric.PR_AUC))
        .isCloseTo((1 + 2 / 3.0) / 2, within(1e-12));
  }

  @Test
  void decilesCompareMeansByPrediction() {
    QualityAccumulator quality = new QualityAccumulator(TaskKind.CONTINUOUS);
    for (int i = 0; i < 20; i++) {
      // Ten pairs of labels d and 3 d, mean 2 d; the upper half is predicted a quarter too high.
      int d = i / 2 + 1;
      quality.add(d > 5 ? 2.5 * d : 2 * d, i % 2 == 0 ? d : 3 * d);
    }
    assertThat(quality.metrics().get(QualityMetric.DECILE_MAPE)).isCloseTo(0.125, within(1e-12));
  }

  @Test
  void largeSamplesAreThinnedWithoutBias() {
    Random random = new Random(1);
    SlidingQuality sliding = new SlidingQuality(TaskKind.CONTINUOUS, 80_000);
    QualityAccumulator whole = new QualityAccumulator(TaskKind.CONTINUOUS);
    for (int i = 0; i < 60_000; i++) {
      double label = Math.exp(random.nextGaussian());
      double prediction = label + random.nextGaussian();
      sliding.add(prediction, label);
      whole.add(prediction, label);
    }
    assertThat(sliding.metrics().get(QualityMetric.SPEARMAN))
        .isCloseTo(whole.metrics().get(QualityMetric.SPEARMAN), within(0.03));
    assertThat(sliding.metrics().get(QualityMetric.MAE))
        .isCloseTo(whole.metrics().get(QualityMetric.MAE), within(1e-9));
  }

  @Test
  void aWindowForgetsAndARestoredOneGoesOn() throws IOException {
    SlidingQuality quality = new SlidingQuality(TaskKind.BINARY, 80);
    for (int i = 0; i < 500; i++) {
      quality.add(i < 400 ? 0.1 : 0.9, 1);
    }
    assertThat(quality.metrics().get(QualityMetric.EXAMPLES)).isBetween(70.0, 80.0);
    assertThat(quality.metrics().get(QualityMetric.CALIBRATION)).isCloseTo(0.9, within(1e-9));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    quality.write(new DataOutputStream(out));
    SlidingQuality restored = new SlidingQuality(TaskKind.BINARY, 80);
    restored.read(new DataInputStream(new ByteArrayInputStream(out.toByteArray())), true);
    quality.add(0.2, 0);
    restored.add(0.2, 0);
    assertThat(restored.metrics()).isEqualTo(quality.metrics());
  }

  /** It is in checkpoints only where there is any, so those of before stay what they were. */
  @Test
  void tellsHowManyWereScoredAtTheBaseRate() throws IOException {
    SlidingQuality quality = new SlidingQuality(TaskKind.CONTINUOUS, 0);
    quality.add(3, 4);
    byte[] without = bytes(quality);
    assertThat(new String(without, StandardCharsets.ISO_8859_1)).doesNotContain("at-base-rate");
    assertThat(quality.metrics()).containsEntry(QualityMetric.AT_BASE_RATE, 0.0);
    SlidingQuality restored = new SlidingQuality(TaskKind.CONTINUOUS, 0);
    restored.read(new DataInputStream(new ByteArrayInputStream(without)), true);
    for (SlidingQuality each : List.of(quality, restored)) {
      each.addAtBaseRate(2, 0);
      each.addAtBaseRate(2, 5);
      each.add(1, 0);
      assertThat(each.metrics()).containsEntry(QualityMetric.AT_BASE_RATE, 0.5);
      assertThat(each.metrics()).containsEntry(QualityMetric.EXAMPLES, 4.0);
    }
    SlidingQuality again = new SlidingQuality(TaskKind.CONTINUOUS, 0);
    again.read(new DataInputStream(new ByteArrayInputStream(bytes(quality))), true);
    assertThat(again.metrics()).isEqualTo(quality.metrics());
  }

  private static byte[] bytes(SlidingQuality quality) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    quality.write(new DataOutputStream(out));
    return out.toByteArray();
  }

  /** A statistic that came later begins with the next label; what is unknown is passed over. */
  @Test
  void statisticsAreFoundByName() throws IOException {
    QualityAccumulator before = new QualityAccumulator(TaskKind.BINARY);
    before.add(0.5, 1);
    before.add(0.25, 0);
    byte[] bytes = bytes(before);
    byte[] renamed =
        new String(bytes, StandardCharsets.ISO_8859_1)
            .replace("log-loss", "log-gain")
            .getBytes(StandardCharsets.ISO_8859_1);
    QualityAccumulator after = new QualityAccumulator(TaskKind.BINARY);
    after.read(new DataInputStream(new ByteArrayInputStream(renamed)));
    assertThat(after.value(QualityMetric.AUC)).isEqualTo(1);
    assertThat(after.value(QualityMetric.CALIBRATION)).isEqualTo(0.75);
    assertThat(after.value(QualityMetric.EXAMPLES)).isEqualTo(2);
    assertThat(after.value(QualityMetric.LOG_LOSS)).isNaN();
    after.add(0.5, 1);
    assertThat(after.value(QualityMetric.LOG_LOSS)).isCloseTo(Math.log(2), within(1e-12));
  }

  /** As trainers' snapshots up to version 12 have them. */
  @Test
  void readsStatisticsWithoutNames() throws IOException {
    ByteArrayOutputStream binary = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(binary);
    out.writeLong(2);
    out.writeLong(1);
    out.writeDouble(1);
    out.writeDouble(-2 * Math.log(0.5));
    for (int bin = 0; bin < 4096; bin++) {
      // Log-odds of 0.
      out.writeInt(bin == 2048 ? 1 : 0);
      out.writeInt(bin == 2048 ? 1 : 0);
    }
    QualityAccumulator told = new QualityAccumulator(TaskKind.BINARY);
    told.add(0.5, 1);
    told.add(0.5, 0);
    assertThat(bytes(unnamed(TaskKind.BINARY, binary))).isEqualTo(bytes(told));

    ByteArrayOutputStream amount = new ByteArrayOutputStream();
    out = new DataOutputStream(amount);
    out.writeLong(2);
    for (double sum : new double[] {2, 4, 10, 7, 5, 13}) {
      out.writeDouble(sum);
    }
    out.writeInt(2);
    for (double part : new double[] {1, -1, 6, 3}) {
      out.writeDouble(part);
    }
    told = new QualityAccumulator(TaskKind.CONTINUOUS);
    told.add(1, -1);
    told.add(6, 3);
    assertThat(bytes(unnamed(TaskKind.CONTINUOUS, amount))).isEqualTo(bytes(told));
  }

  private static QualityAccumulator unnamed(TaskKind kind, ByteArrayOutputStream bytes)
      throws IOException {
    QualityAccumulator read = new QualityAccumulator(kind);
    read.readUnnamed(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
    return read;
  }

  private static byte[] bytes(QualityAccumulator quality) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    quality.write(new DataOutputStream(out));
    return out.toByteArray();
  }

  /** What the menu says of a metric is true of it: the direction, and where it is told. */
  @ParameterizedTest
  @EnumSource(QualityMetric.class)
  void betterPredictionsAreBetter(QualityMetric metric) {
    assertThat(metric.meaning()).endsWith(".").hasSizeLessThan(120);
    for (TaskKind kind : TaskKind.values()) {
      QualityAccumulator good = scored(kind, 0.25);
      QualityAccumulator bad = scored(kind, 0.75);
      assertThat(scored(kind, 0.5).metrics().containsKey(metric))
          .as("%s of %s", metric, kind)
          .isEqualTo(metric.of(kind) && metric != QualityMetric.SLOPE);
      if (metric.of(kind) && metric != QualityMetric.SLOPE) {
        double better = good.value(metric);
        double worse = bad.value(metric);
        switch (metric.better()) {
          case HIGHER -> assertThat(better).isGreaterThan(worse);
          case LOWER -> assertThat(better).isLessThan(worse);
          case NEAR_ONE -> assertThat(Math.abs(better - 1)).isLessThan(Math.abs(worse - 1));
          case NEITHER -> assertThat(better).isEqualTo(worse);
        }
      }
    }
  }

  /** Labels from 0 to 1, predicted with an error that grows with {@code by}, too high in all. */
  private static QualityAccumulator scored(TaskKind kind, double by) {
    QualityAccumulator quality = new QualityAccumulator(kind);
    Random random = new Random(1);
    for (int i = 0; i < 400; i++) {
      double label = kind == TaskKind.BINARY ? i % 2 : (i % 40) / 40.0;
      double prediction = (1 - by) * label + by * (random.nextDouble() + 0.2);
      quality.add(Math.min(prediction, 0.99), label);
    }
    return quality;
  }
}
