package dev.freshet.job.events;

import java.util.Arrays;

/**
 * The time of one partition: that of its newest event that others bear out. A single event with a
 * wrong clock moves it nowhere, however far ahead it is; a real gap in the data does, once the
 * events behind the gap are the majority of the last few.
 *
 * <p>An event counts if it is at most a bound ahead of the median of the last {@value #LAST}. The
 * bound grows with the usual distance of events, so that a partition with one event a day has a
 * time too. Up to {@value #FIRST} events there is none: the first may be the wrong one. Old events
 * never turn time back.
 */
final class PartitionClock {

  static final long NONE = Long.MIN_VALUE;

  private static final int LAST = 11;
  private static final int FIRST = 5;
  private static final int DISTANCES = 4;

  private final long maxAhead;
  private final long[] times = new long[LAST];
  private long seen;
  private long newest = NONE;

  /**
   * @param maxAhead milliseconds that an event may be ahead of the median where they are dense
   */
  PartitionClock(long maxAhead) {
    this.maxAhead = maxAhead;
  }

  /**
   * An event.
   *
   * @return true if it may move time; if not, its time may be wrong
   */
  boolean see(long time) {
    times[(int) (seen++ % LAST)] = time;
    if (seen < FIRST) {
      return true;
    }
    long[] sorted = Arrays.copyOf(times, (int) Math.min(seen, LAST));
    Arrays.sort(sorted);
    int middle = (sorted.length - 1) / 2;
    int quarter = sorted.length / 4;
    long median = sorted[middle];
    // The smaller side: next to a gap the other one is as long as the gap.
    long distance =
        Math.min(median - sorted[quarter], sorted[sorted.length - 1 - quarter] - median);
    long limit = median + Math.max(maxAhead, DISTANCES * distance);
    for (int i = sorted.length - 1; i >= middle; i--) {
      if (sorted[i] <= limit) {
        newest = Math.max(newest, sorted[i]);
        break;
      }
    }
    return time <= limit;
  }

  /** Epoch milliseconds, or {@link #NONE}. */
  long time() {
    return newest;
  }
}
