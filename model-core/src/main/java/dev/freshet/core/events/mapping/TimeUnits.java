package dev.freshet.core.events.mapping;

import java.math.BigDecimal;

/** Units of times that are numbers since 1970. */
public enum TimeUnits {
  NANOSECONDS(-6),
  MICROSECONDS(-3),
  MILLISECONDS(0),
  SECONDS(3);

  private final int shift;

  TimeUnits(int shift) {
    this.shift = shift;
  }

  /** A number of this unit in milliseconds, exactly. */
  BigDecimal millis(BigDecimal number) {
    return number.scaleByPowerOfTen(shift);
  }
}
