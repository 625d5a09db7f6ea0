package dev.freshet.core.labels;

import java.io.Serializable;

/**
 * An event that the join left out.
 *
 * @param task index of the task, or -1 for an impression
 * @param eventId id of the feedback event, or the impression's own id
 * @param early milliseconds by which it was before what it could follow from; 0 if it was not
 */
public record DroppedEvent(
    DropReason reason,
    String impressionId,
    String eventId,
    int task,
    long eventTime,
    double value,
    long early)
    implements Serializable {

  /** An event that was not before anything. */
  public DroppedEvent(
      DropReason reason,
      String impressionId,
      String eventId,
      int task,
      long eventTime,
      double value) {
    this(reason, impressionId, eventId, task, eventTime, value, 0);
  }
}
