package dev.freshet.local.sample;

import dev.freshet.core.settings.Durations;
import java.time.Duration;
import java.util.List;

/** Lengths of time as people write them. */
public final class Spans {

  private static final List<Duration> ROUND =
      List.of(
          Duration.ofSeconds(10),
          Duration.ofSeconds(30),
          Duration.ofMinutes(1),
          Duration.ofMinutes(2),
          Duration.ofMinutes(5),
          Duration.ofMinutes(10),
          Duration.ofMinutes(20),
          Duration.ofMinutes(30),
          Duration.ofHours(1),
          Duration.ofHours(2),
          Duration.ofHours(4),
          Duration.ofHours(8),
          Duration.ofHours(12),
          Duration.ofDays(1),
          Duration.ofDays(2),
          Duration.ofDays(3),
          Duration.ofDays(5),
          Duration.ofDays(7),
          Duration.ofDays(10),
          Duration.ofDays(14),
          Duration.ofDays(21),
          Duration.ofDays(30),
          Duration.ofDays(45),
          Duration.ofDays(60),
          Duration.ofDays(90));

  private Spans() {}

  /** The shortest round one that is no shorter. */
  static Duration roundUp(double millis) {
    for (Duration one : ROUND) {
      if (one.toMillis() >= millis) {
        return one;
      }
    }
    return Duration.ofDays((long) Math.ceil(millis / Duration.ofDays(1).toMillis()));
  }

  /** As {@code 3h 20m}: its two largest units. */
  public static String text(double millis) {
    if (millis < 0) {
      return "-" + text(-millis);
    }
    long all = Math.round(millis);
    for (long unit : new long[] {86_400_000, 3_600_000, 60_000}) {
      if (all >= unit) {
        long below = unit == 86_400_000 ? 3_600_000 : unit == 3_600_000 ? 60_000 : 1000;
        return Durations.written(Duration.ofMillis(all / below * below));
      }
    }
    return all >= 10_000 ? all / 1000 + "s" : all >= 1000 ? all / 100 / 10.0 + "s" : all + "ms";
  }
}
