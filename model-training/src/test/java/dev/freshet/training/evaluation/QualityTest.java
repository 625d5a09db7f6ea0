package dev.freshet.training.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class QualityTest {

  @Test
  void binaryMetricsByHand() {
    BinaryQuality quality = new BinaryQuality();
    quality.add(0.8, 1);
    quality.add(0.6, 0);
    quality.add(0.3, 1);
    quality.add(0.1, 0);
    Map<String, Double> metrics = quality.metrics();
    // Pairs won: 0.8 beats both, 0.3 beats one of two.
    assertThat(metrics.get("auc")).isEqualTo(0.75);
    double loss = -(Math.log(0.8) + Math.log(0.4) + Math.log(0.3) + Math.log(0.9)) / 4;
    assertThat(metrics.get("logLoss")).isCloseTo(loss, within(1e-12));
    assertThat(metrics.get("normalizedEntropy")).isCloseTo(loss / Math.log(2), within(1e-12));
    assertThat(metrics.get("calibration")).isCloseTo(0.9, within(1e-12));
  }

  @Test
  void tiesCountHalfAndOneClassHasNoAuc() {
    BinaryQuality quality = new BinaryQuality();
    quality.add(0.5, 1);
    assertThat(quality.metrics()).doesNotContainKeys("auc", "normalizedEntropy");
    quality.add(0.5, 0);
    assertThat(quality.metrics().get("auc")).isEqualTo(0.5);
    assertThat(new BinaryQuality().metrics()).isEmpty();
  }

  @Test
  void amountMetricsByHand() {
    AmountQuality quality = new AmountQuality();
    quality.add(1, 0);
    quality.add(2, 4);
    quality.add(3, 2);
    Map<String, Double> metrics = quality.metrics();
    assertThat(metrics.get("mae")).isCloseTo(4.0 / 3, within(1e-12));
    assertThat(metrics.get("nmae")).isCloseTo(4.0 / 3 / 2, within(1e-12));
    assertThat(metrics.get("rmse")).isCloseTo(Math.sqrt(2), within(1e-12));
    assertThat(metrics.get("nrmse")).isCloseTo(Math.sqrt(2) / Math.sqrt(8.0 / 3), within(1e-12));
    assertThat(metrics.get("calibration")).isEqualTo(1);
    assertThat(metrics.get("spearman")).isCloseTo(0.5, within(1e-12));
    // Gain of the order 3, 2, 1: (2/6 + 1 + 1)/3 - 2/3 = 1/9; of the best: (4/6 + 1 + 1)/3 - 2/3 =
    // 2/9.
    assertThat(metrics.get("gini")).isCloseTo(0.5, within(1e-12));
  }

  @Test
  void aConstantPredictionGainsNothing() {
    AmountQuality quality = new AmountQuality();
    for (int i = 0; i < 10; i++) {
      quality.add(3, i);
    }
    assertThat(quality.metrics().get("gini")).isCloseTo(0, within(1e-12));
    assertThat(quality.metrics()).doesNotContainKey("spearman");
  }

  @Test
  void averagePrecisionIsThatOfTheRanking() {
    BinaryQuality quality = new BinaryQuality();
    double[] predictions = {0.9, 0.8, 0.6, 0.3};
    int[] labels = {1, 0, 1, 0};
    for (int i = 0; i < labels.length; i++) {
      quality.add(predictions[i], labels[i]);
    }
    // Precision 1 at the first yes, 2/3 at the second.
    assertThat(quality.metrics().get("prAuc")).isCloseTo((1 + 2 / 3.0) / 2, within(1e-12));
  }

  @Test
  void decilesCompareMeansByPrediction() {
    AmountQuality quality = new AmountQuality();
    for (int i = 0; i < 20; i++) {
      // Ten pairs of labels d and 3 d, mean 2 d; the upper half is predicted a quarter too high.
      int d = i / 2 + 1;
      quality.add(d > 5 ? 2.5 * d : 2 * d, i % 2 == 0 ? d : 3 * d);
    }
    assertThat(quality.metrics().get("decileMape")).isCloseTo(0.125, within(1e-12));
  }

  @Test
  void largeSamplesAreThinnedWithoutBias() {
    Random random = new Random(1);
    SlidingQuality<AmountQuality> sliding = new SlidingQuality<>(AmountQuality::new, 80_000);
    AmountQuality whole = new AmountQuality();
    for (int i = 0; i < 60_000; i++) {
      double label = Math.exp(random.nextGaussian());
      double prediction = label + random.nextGaussian();
      sliding.add(prediction, label);
      whole.add(prediction, label);
    }
    assertThat(sliding.metrics().get("spearman"))
        .isCloseTo(whole.metrics().get("spearman"), within(0.03));
    assertThat(sliding.metrics().get("mae")).isCloseTo(whole.metrics().get("mae"), within(1e-9));
  }

  @Test
  void aWindowForgetsAndARestoredOneGoesOn() throws IOException {
    SlidingQuality<BinaryQuality> quality = new SlidingQuality<>(BinaryQuality::new, 80);
    for (int i = 0; i < 500; i++) {
      quality.add(i < 400 ? 0.1 : 0.9, 1);
    }
    assertThat(quality.metrics().get("examples")).isBetween(70.0, 80.0);
    assertThat(quality.metrics().get("calibration")).isCloseTo(0.9, within(1e-9));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    quality.write(new DataOutputStream(out));
    SlidingQuality<BinaryQuality> restored = new SlidingQuality<>(BinaryQuality::new, 80);
    restored.read(new DataInputStream(new ByteArrayInputStream(out.toByteArray())));
    quality.add(0.2, 0);
    restored.add(0.2, 0);
    assertThat(restored.metrics()).isEqualTo(quality.metrics());
  }
}
