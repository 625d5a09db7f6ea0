package dev.freshet.core.events;

import java.io.Serializable;
import java.util.Objects;

/**
 * Something happened after an impression: a click, a purchase, money. The right side of the join.
 *
 * @param eventId tells repeats of one event apart from a second event
 * @param task index of the task it is about
 * @param eventTime epoch milliseconds
 * @param value for a continuous task the amount, negative for a refund; for a binary task 1, or 0
 *     for an outcome that is known to be negative
 */
public record Feedback(String impressionId, String eventId, int task, long eventTime, double value)
    implements Serializable {

  public Feedback {
    Objects.requireNonNull(impressionId, "impressionId");
    Objects.requireNonNull(eventId, "eventId");
  }
}
