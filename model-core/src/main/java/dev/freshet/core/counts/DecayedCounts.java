package dev.freshet.core.counts;

import java.util.Arrays;

/**
 * Counts of one value's events, each of which counts 1 at first and half as much after every
 * half-life: a number and a moment for each counter, whatever happened. A count below {@value
 * #LEAST} is 0, so that a value of which nothing happens any more needs no state. Mutable; one
 * owner, the keyed state.
 */
public final class DecayedCounts {

  /** No moment. */
  public static final long NONE = Long.MAX_VALUE;

  /** Smallest count; what is less is nothing. */
  static final double LEAST = 0x1p-10;

  long[] ids = new long[0];
  double[] counts = new double[0];
  long[] times = new long[0];
  private long timer = NONE;

  /** The count of all before a moment, as it counts then. */
  public double at(CountPlan.Counter counter, long time) {
    int place = place(counter);
    if (place < 0) {
      return 0;
    }
    double count = counts[place] * factor(counter, time - times[place]);
    return count < LEAST ? 0 : count;
  }

  /**
   * So many events at once.
   *
   * @param time when they were; earlier than what was counted before is fine
   */
  public void add(CountPlan.Counter counter, long time, int events) {
    int place = place(counter);
    if (place < 0) {
      place = ids.length;
      ids = Arrays.copyOf(ids, place + 1);
      counts = Arrays.copyOf(counts, place + 1);
      times = Arrays.copyOf(times, place + 1);
      ids[place] = counter.id();
      times[place] = time;
    }
    if (time < times[place]) {
      counts[place] += events * factor(counter, times[place] - time);
    } else {
      counts[place] = at(counter, time) + events;
      times[place] = time;
    }
  }

  /** From when on all of these are 0, if nothing more happens; never too early. */
  public long over(Iterable<CountPlan.Counter> counters) {
    long over = Long.MIN_VALUE;
    for (CountPlan.Counter counter : counters) {
      int place = place(counter);
      if (place >= 0 && counts[place] > 0) {
        double halves = Math.max(0, Math.log(counts[place] / LEAST) / Math.log(2));
        double ends = times[place] + Math.ceil(halves * counter.halfLife()) + 1;
        over = Math.max(over, ends >= NONE ? NONE : (long) ends);
      }
    }
    return over;
  }

  private int place(CountPlan.Counter counter) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] == counter.id()) {
        return i;
      }
    }
    return -1;
  }

  private static double factor(CountPlan.Counter counter, long elapsed) {
    return elapsed <= 0 ? 1 : Math.pow(2, -(double) elapsed / counter.halfLife());
  }

  /** When the one timer is due at which there may be nothing left. */
  public long timer() {
    return timer;
  }

  public void timer(long time) {
    timer = time;
  }
}
