package dev.freshet.core.labels;

import java.time.Duration;
import java.util.Locale;

/**
 * Fixed buckets of delays, so that counts of subtasks, runs and models add up, and a share of any
 * of them is a share of the whole. A bucket's end is included.
 */
public enum DelayBucket {
  UP_TO_1M(Duration.ofMinutes(1)),
  UP_TO_10M(Duration.ofMinutes(10)),
  UP_TO_1H(Duration.ofHours(1)),
  UP_TO_6H(Duration.ofHours(6)),
  UP_TO_1D(Duration.ofDays(1)),
  UP_TO_7D(Duration.ofDays(7)),
  UP_TO_30D(Duration.ofDays(30)),
  LONGER(Duration.ofMillis(Long.MAX_VALUE));

  private static final String PREFIX = "UP_TO_";

  private final long limit;

  DelayBucket(Duration limit) {
    this.limit = limit.toMillis();
  }

  /** As in metrics: {@code upTo1h}, {@code longer}. */
  public String label() {
    return this == LONGER
        ? "longer"
        : "upTo" + name().substring(PREFIX.length()).toLowerCase(Locale.ROOT);
  }

  /** The bucket of a delay in milliseconds. */
  public static DelayBucket of(double delay) {
    for (DelayBucket bucket : values()) {
      if (delay <= bucket.limit) {
        return bucket;
      }
    }
    return LONGER;
  }
}
