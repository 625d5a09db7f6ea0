package dev.freshet.core.counts;

import java.io.Serializable;

/**
 * Something that counts from its time on: an impression, or feedback whose impression is known.
 *
 * @param event index of the task, or {@link #IMPRESSION}
 * @param time from which on it counts, epoch milliseconds
 * @param keys of the values for which it counts, one for each of {@link CountPlan#by()}, {@link
 *     CountPlan#NO_KEY} where there is none
 */
public record CountedEvent(int event, long time, long[] keys) implements Serializable {

  /** The event that is no task's. */
  public static final int IMPRESSION = -1;
}
