package dev.freshet.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.freshet.core.labels.AmountRange;
import dev.freshet.core.labels.Task.Transform;
import dev.freshet.core.models.AmountHead;
import dev.freshet.core.network.AmountScale;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TargetScaleTest {

  private final Random random = new Random(1);

  private void seeLognormal(TargetScale scale, int count, double unit) {
    for (int i = 0; i < count; i++) {
      scale.see(unit * Math.exp(random.nextGaussian()), 1);
    }
    scale.refresh();
  }

  @ParameterizedTest
  @EnumSource(Transform.class)
  void decodesWhatItEncodes(Transform transform) {
    TargetScale scale = new TargetScale(transform, AmountRange.LEARNT);
    scale.see(0, 20);
    seeLognormal(scale, 100, 30);
    AmountScale amounts = scale.current();
    for (double value : new double[] {0, 0.01, 17, 900, -40}) {
      assertThat(amounts.plain(amounts.encode(value))).isCloseTo(value, within(1e-9));
    }
    assertThat(amounts.decode(Double.MAX_VALUE)).isEqualTo(amounts.to());
    assertThat(amounts.decode(-Double.MAX_VALUE)).isEqualTo(amounts.from());
  }

  @ParameterizedTest
  @EnumSource(Transform.class)
  void nothingIsKnownOfFewAmounts(Transform transform) {
    TargetScale scale = new TargetScale(transform, AmountRange.LEARNT);
    scale.see(1e200, 1);
    seeLognormal(scale, TargetScale.FEWEST - 2, 30);
    assertThat(scale.current().ready()).isFalse();
    assertThat(scale.current().decode(3)).isZero();
    assertThat(scale.current().clip(1e200)).isEqualTo(AmountRange.LARGEST);
    seeLognormal(scale, 1, 30);
    assertThat(scale.current().ready()).isTrue();
    assertThat(scale.current().to()).as("the 1e200 has no say").isBetween(100.0, 300_000.0);
    assertThat(scale.current().unit()).isLessThan(600);
  }

  @ParameterizedTest
  @EnumSource(Transform.class)
  void aTenthOfMadAmountsMovesLittle(Transform transform) {
    double[] mad = {1e200, -1e200, Double.MAX_VALUE, 1e9, Double.MIN_VALUE, -0.0};
    TargetScale sane = new TargetScale(transform, AmountRange.LEARNT);
    TargetScale odd = new TargetScale(transform, AmountRange.LEARNT);
    for (int i = 0; i < 2000; i++) {
      double amount = 30 * Math.exp(random.nextGaussian());
      sane.see(amount, 1);
      odd.see(amount, 1);
      if (i % 11 == 0) {
        odd.see(mad[i % mad.length], 1);
      }
    }
    sane.refresh();
    odd.refresh();
    assertThat(odd.current().unit() / sane.current().unit()).isBetween(0.25, 4.0);
    assertThat(odd.current().to() / sane.current().to()).isBetween(0.3, 3.0);
    assertThat(sane.current().to()).as("no lognormal amount is beyond").isGreaterThan(30 * 30);
  }

  @Test
  void whatWasSeenIsForgotten() {
    TargetScale scale = new TargetScale(Transform.LOG1P, new AmountRange(null, null, 200));
    seeLognormal(scale, 1000, 1e12);
    seeLognormal(scale, 200, 3);
    assertThat(scale.current().unit()).isBetween(3.0, 8.0);
    assertThat(scale.current().to()).isLessThan(1e5);
  }

  @Test
  void amountsOfTwoSizesAreBothPlausible() {
    TargetScale scale = new TargetScale(Transform.LOG1P, AmountRange.LEARNT);
    for (int i = 0; i < 500; i++) {
      scale.see(i % 4 == 0 ? 250_000 : 5, 1);
    }
    scale.refresh();
    assertThat(scale.current().clip(250_000)).isEqualTo(250_000);
  }

  @Test
  void aGivenRangeIsKept() {
    TargetScale scale = new TargetScale(Transform.NONE, new AmountRange(0.0, 500.0, 1000));
    seeLognormal(scale, 100, 30);
    assertThat(scale.current().clip(-3)).isZero();
    assertThat(scale.current().clip(501)).isEqualTo(500);
    assertThat(scale.current().decode(1e30)).isEqualTo(500);
  }

  @Test
  void theFactorMakesTheMean() {
    TargetScale scale = new TargetScale(Transform.LOG1P, AmountRange.LEARNT);
    seeLognormal(scale, 400, 30);
    for (int i = 0; i < 1000; i++) {
      scale.compare(10, i % 2 == 0 ? 0 : 34, 1);
    }
    scale.refresh();
    assertThat(scale.current().factor()).isCloseTo(1.7, within(0.05));
    TargetScale negative = new TargetScale(Transform.LOG1P, AmountRange.LEARNT);
    seeLognormal(negative, 400, 30);
    negative.compare(-10, 500, 1);
    negative.refresh();
    double start = negative.current().factor();
    assertThat(start).as("nothing to multiply: a constant's").isBetween(1.1, 1.5);
    assertThat(negative.current().shift()).as("the rest is added").isEqualTo(500 + 10 * start);
    assertThat(scale.current().shift()).as("next to nothing is left").isCloseTo(0, within(0.3));
  }

  /** As an order of 1e200 among the first: it hardly moves what the mean is said to be. */
  @ParameterizedTest
  @EnumSource(Transform.class)
  void oneAmountHasNoSayInTheMean(Transform transform) {
    for (int before : new int[] {0, 7, 25, 60}) {
      TargetScale scale = new TargetScale(transform, AmountRange.LEARNT);
      TargetScale sane = new TargetScale(transform, AmountRange.LEARNT);
      for (int i = 0; i < before + 60; i++) {
        if (i == before) {
          scale.see(1e200, 1);
        }
        double amount = 30 * Math.exp(random.nextGaussian());
        for (TargetScale one : List.of(scale, sane)) {
          one.see(amount, 1);
          one.refresh();
        }
        if (i >= TargetScale.FEWEST) {
          assertThat(scale.mean() / sane.mean()).as("at %d", i).isBetween(0.9, 3.0);
        }
      }
      assertThat(scale.mean() / sane.mean()).as("after %d", before).isBetween(0.9, 1.4);
    }
  }

  @ParameterizedTest
  @EnumSource(Transform.class)
  void restoreAndContinueEqualsNeverHavingStopped(Transform transform) throws IOException {
    for (int before : new int[] {0, 5, 64, 100, 1000, 1700}) {
      TargetScale straight = new TargetScale(transform, AmountRange.LEARNT);
      straight.see(0, 2.5);
      seeLognormal(straight, before, 7);
      straight.compare(5, 6, 1);
      straight.refresh();
      TargetScale restored = new TargetScale(transform, AmountRange.LEARNT);
      restored.read(new DataInputStream(new ByteArrayInputStream(bytes(straight))));
      assertThat(restored.current()).isEqualTo(straight.current());
      TargetScale copy = straight.copy();
      seeLognormal(copy, 3, 1e6);
      for (int i = 0; i < 900; i++) {
        double amount = Math.exp(random.nextGaussian());
        straight.see(amount, 1);
        restored.see(amount, 1);
      }
      straight.refresh();
      restored.refresh();
      assertThat(restored.current()).isEqualTo(straight.current());
      assertThat(bytes(restored)).isEqualTo(bytes(straight));
    }
  }

  private static byte[] bytes(TargetScale scale) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    scale.write(new DataOutputStream(bytes));
    return bytes.toByteArray();
  }

  /** A checkpoint of before: weights go on to mean what they meant. */
  @Test
  void momentsOfBeforeAreKeptAsLongAsWeightsNeedThem() throws IOException {
    TargetScale log = ofBefore(Transform.LOG1P, 500, 2, 4500);
    TargetScale zscore = ofBefore(Transform.ZSCORE, 500, 2, 4500);
    assertThat(log.current().encode(10)).isEqualTo(Math.log1p(10));
    assertThat(zscore.current().encode(10)).isCloseTo((10 - 2) / 3.0, within(1e-12));
    seeLognormal(log, 300, 30);
    seeLognormal(zscore, 300, 30);
    assertThat(log.current().encode(10)).isEqualTo(Math.log1p(10));
    assertThat(zscore.current().unit()).as("forgotten").isGreaterThan(10);
    assertThat(log.current().to()).as("its range is learnt").isLessThan(1e6);
    TargetScale spoilt = ofBefore(Transform.ZSCORE, 500, 1e197, 1e300);
    assertThat(spoilt.current().ready()).as("starts afresh").isFalse();
  }

  private static TargetScale ofBefore(Transform transform, double... moments) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    for (double moment : moments) {
      out.writeDouble(moment);
    }
    TargetScale scale = new TargetScale(transform, AmountRange.LEARNT);
    scale.readOfBefore(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
    return scale;
  }

  /** What a constant predictor's gradients are, whatever the amounts' currency. */
  @ParameterizedTest
  @ValueSource(doubles = {1e-6, 30, 1e9})
  void amountsPullAsTheirSpreadSays(double amount) {
    TargetScale scale = new TargetScale(Transform.NONE, AmountRange.LEARNT);
    for (int i = 0; i < 1000; i++) {
      scale.see(i % 4 == 0 ? amount : 0, 1);
    }
    scale.refresh();
    double share = scale.mean() / amount;
    assertThat(share).isCloseTo(0.25, within(0.02));
    double deviation = Math.sqrt(share * (1 - share));
    AmountHead squared = new AmountHead(AmountHead.Loss.SQUARED, 1);
    assertThat(scale.pull(squared, scale.constant(squared.loss())))
        .isCloseTo(2 * deviation, within(1e-6));
    AmountHead huber = new AmountHead(AmountHead.Loss.HUBER, 0.1);
    assertThat(scale.pull(huber, scale.constant(huber.loss())))
        .as("never more than delta")
        .isCloseTo(0.1, within(1e-9));
    TargetScale alike = new TargetScale(Transform.NONE, AmountRange.LEARNT);
    for (int i = 0; i < 100; i++) {
      alike.see(amount, 1);
    }
    alike.refresh();
    assertThat(alike.pull(squared, alike.constant(squared.loss())))
        .as("what is always the same pulls at nothing")
        .isEqualTo(0.01);
  }

  @Test
  void aZeroInflatedLognormalPullsAtThreeOutputs() {
    TargetScale scale = new TargetScale(Transform.DEVIATION, AmountRange.LEARNT);
    AmountHead ziln = new AmountHead(AmountHead.Loss.ZILN, 1);
    // A fifth is above zero, with a deviation of 1.
    double[] said = {Math.log(0.25), 3, Math.log(Math.expm1(1 - 0.01))};
    double slope = 1 - Math.exp(-(1 - 0.01));
    assertThat(scale.pull(ziln, said))
        .isCloseTo(0.4 + Math.sqrt(0.2) + Math.sqrt(0.4) * slope, within(1e-6));
  }
}
