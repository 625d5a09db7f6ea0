package dev.freshet.core.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class PrecisionTest {

  /** Every 16-bit number is a float, and comes back as it was. */
  @ParameterizedTest
  @EnumSource(names = {"FLOAT16", "BFLOAT16"})
  void everyNumberComesBack(Precision precision) {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = precision.decode((short) bits);
      if (Float.isFinite(value)) {
        assertThat(precision.encode(value)).as("bits %x", bits).isEqualTo((short) bits);
      }
    }
  }

  /** Values from the tables of IEEE 754 and of bfloat16. */
  @ParameterizedTest
  @CsvSource({
    "FLOAT16, 1.0, 3c00",
    "FLOAT16, -2.0, c000",
    "FLOAT16, 65504, 7bff",
    "FLOAT16, 1e9, 7bff",
    "FLOAT16, 0.000061035156, 400",
    "FLOAT16, 5.9604645E-8, 1",
    "FLOAT16, 2.0E-8, 0",
    "FLOAT16, 0.33333334, 3555",
    "FLOAT16, 2049, 6800",
    "FLOAT16, 2051, 6802",
    "BFLOAT16, 1.0, 3f80",
    "BFLOAT16, 3.1415927, 4049",
    "BFLOAT16, -0.1, bdcd",
  })
  void knownValues(Precision precision, float value, String bits) {
    assertThat(Integer.toHexString(precision.encode(value) & 0xFFFF)).isEqualTo(bits);
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT16", "BFLOAT16"})
  void roundsToTheNearest(Precision precision) {
    Random random = new Random(1);
    double error = precision == Precision.FLOAT16 ? 0x1p-11 : 0x1p-8;
    for (int i = 0; i < 100_000; i++) {
      float value = (float) (random.nextGaussian() * Math.exp(2 * random.nextGaussian()));
      float back = precision.decode(precision.encode(value));
      assertThat((double) Math.abs(back - value))
          .isLessThanOrEqualTo(error * Math.abs(value) + 3e-8);
    }
  }

  @Test
  void whatIsNoNumberStaysNone() {
    assertThat(Precision.FLOAT16.decode(Precision.FLOAT16.encode(Float.NaN))).isNaN();
    assertThat(Precision.BFLOAT16.decode(Precision.BFLOAT16.encode(Float.NaN))).isNaN();
  }
}
