package dev.freshet.core.counts;

import java.util.Arrays;

/**
 * Future of one value at one moment that time has not reached: so many impressions wait for its
 * counts, and so many events of each kind will count after it.
 *
 * @param impressions how many wait
 * @param events by event, that of impressions first and then the tasks'
 */
public record CountMoment(int impressions, int[] events) {

  /** Nothing yet. */
  public static final CountMoment EMPTY = new CountMoment(0, new int[0]);

  /** With one more impression that waits. */
  public CountMoment withImpression() {
    return new CountMoment(impressions + 1, events);
  }

  /**
   * With one more event.
   *
   * @param event index of the task, or {@link CountedEvent#IMPRESSION}
   */
  public CountMoment withEvent(int event) {
    int[] more = Arrays.copyOf(events, Math.max(events.length, event + 2));
    more[event + 1]++;
    return new CountMoment(impressions, more);
  }

  /** Counts the events. */
  public void add(CountPlan.By by, DecayedCounts counts, long time) {
    for (CountPlan.Counter counter : by.counters()) {
      int place = counter.event() + 1;
      if (place < events.length && events[place] > 0) {
        counts.add(counter, time, events[place]);
      }
    }
  }
}
