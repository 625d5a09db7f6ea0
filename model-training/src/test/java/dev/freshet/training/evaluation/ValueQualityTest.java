package dev.freshet.training.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.freshet.core.labels.DelayBucket;
import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.TestingPipelines;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class ValueQualityTest {

  private static final long HOUR = 60 * 60 * 1000L;
  private static final List<Task> TASKS = TestingPipelines.shop().tasks();
  private static final ValueQuality.Settings SETTINGS =
      new ValueQuality.Settings("item", HOUR, 0.2, 2, 3);

  @Test
  void bucketsAreThoseOfTheValuesOwnDelay() {
    ValueQuality quality = new ValueQuality(TASKS, SETTINGS);
    quality.see(7, 0);
    quality.add(0, 7, 0, 0.5, 1, 2 * HOUR); // nothing was known of its delays
    quality.add(0, 7, 0, 0.25, 0, -1);
    quality.add(0, 7, 0, 0.25, 1, 24 * HOUR);
    quality.add(0, 7, 0, 0.4, 1, 0); // its mean is 13 hours now
    assertThat(quality.predicted(0, null)).isEqualTo(0.5);
    assertThat(quality.predicted(0, DelayBucket.UP_TO_6H)).isEqualTo(0.5);
    assertThat(quality.happened(0, DelayBucket.UP_TO_6H)).isEqualTo(1);
    assertThat(quality.predicted(0, DelayBucket.UP_TO_1D)).isEqualTo(0.4);
    assertThat(quality.metrics().get("click"))
        .containsEntry("calibration.upTo6h", 0.5)
        .containsEntry("calibration.upTo1d", 0.4)
        .doesNotContainKey("calibration.upTo1m");
    quality.add(2, 7, 0, 3, 4, 0);
    assertThat(quality.metrics()).as("amounts are not watched").doesNotContainKey("revenue");
  }

  /** A window an hour: two that are off, one good, one off, and then three good ones. */
  private static void life(ValueQuality quality, int from, int to) {
    double[] predicted = {9, 9, 3, 9, 3, 3, 3, 9};
    for (int hour = from; hour < to; hour++) {
      long end = 10 * HOUR + (hour + 1) * HOUR;
      quality.see(8, end - HOUR);
      quality.add(0, 8, end - HOUR / 2, predicted[hour] / 2, 1.5, HOUR);
      quality.add(0, 8, end, predicted[hour] / 2, 1.5, HOUR);
    }
  }

  @Test
  void timeToCalibratedEndsWhereThreeGoodWindowsBegin() {
    ValueQuality quality = new ValueQuality(TASKS, SETTINGS);
    quality.see(7, 0); // there from the start
    life(quality, 0, 8);
    assertThat(quality.births()).isEqualTo(1);
    assertThat(quality.calibrated(0, DelayBucket.UP_TO_6H)).isEqualTo(1);
    assertThat(quality.metrics().get("click").get("hoursToCalibrated")).isCloseTo(4, within(1e-9));
    assertThat(quality.metrics().get("purchase"))
        .containsEntry("calibratedValues", 0.0)
        .doesNotContainKey("hoursToCalibrated");
  }

  @Test
  void aWindowWithTooFewOutcomesStaysOpen() {
    ValueQuality quality = new ValueQuality(TASKS, SETTINGS);
    quality.see(7, 0);
    quality.see(8, 10 * HOUR);
    for (int hour = 11; hour < 20; hour++) {
      quality.add(0, 8, hour * HOUR, 0.2, 0.2, -1);
    }
    assertThat(quality.metrics().get("click")).containsEntry("calibratedValues", 0.0);
  }

  @Test
  void goesOnWhereItWasAndForgetsTheOldest() throws IOException {
    ValueQuality straight = new ValueQuality(TASKS, SETTINGS);
    straight.see(7, 0);
    life(straight, 0, 8);
    ValueQuality half = new ValueQuality(TASKS, SETTINGS);
    half.see(7, 0);
    life(half, 0, 5);
    ValueQuality restored = new ValueQuality(TASKS, SETTINGS).read(in(bytes(half)));
    life(restored, 5, 8);
    assertThat(bytes(restored)).isEqualTo(bytes(straight));
    for (long value = 20; value < 30; value++) {
      restored.see(value, 30 * HOUR);
    }
    assertThat(bytes(restored)).hasSameSizeAs(bytes(withThree()));
    var other = new ValueQuality.Settings("user", HOUR, 0.2, 2, 3);
    ValueQuality ofUsers = new ValueQuality(TASKS, other).read(in(bytes(straight)));
    assertThat(ofUsers.births()).as("another field starts afresh").isZero();
  }

  private static ValueQuality withThree() {
    ValueQuality quality = new ValueQuality(TASKS, SETTINGS);
    List.of(1L, 2L, 3L).forEach(value -> quality.see(value, 0));
    return quality;
  }

  private static byte[] bytes(ValueQuality quality) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    quality.write(new DataOutputStream(out));
    return out.toByteArray();
  }

  private static DataInputStream in(byte[] bytes) {
    return new DataInputStream(new ByteArrayInputStream(bytes));
  }
}
