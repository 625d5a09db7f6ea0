package dev.freshet.core.labels.correction;

import java.util.List;

/**
 * One task of one impression, as it is known at a moment of event time.
 *
 * @param start event time of the parent's first event that counts; for the first task, and while
 *     the parent has none, the moment the parent's own label was first emitted
 * @param parentEmitted the moment at which the parent's label is first emitted, whatever it is; for
 *     the first task the impression's. Nothing is emitted before it: if it were, labels of an
 *     impression whose parent happened would be emitted at another age than one whose parent did
 *     not, and whatever tells the age would give the label away
 * @param positive true if the parent happened, so that this task could
 * @param positives event times of the task's own events that count and are no reported negative,
 *     ascending
 * @param explicit true if negatives are reported
 * @param finalAt when the label is final: nothing can change it any more
 * @param horizon the latest that {@code finalAt} can be for any impression that says the same: its
 *     event time plus the windows of this task and all before it, or its own deadline
 * @param waiting the correction's waiting time in milliseconds
 * @param firstEmitted the moment at which the first record was emitted, or {@link #NEVER}
 */
public record TaskTimeline(
    long start,
    long parentEmitted,
    boolean positive,
    List<Long> positives,
    boolean explicit,
    long finalAt,
    long horizon,
    long waiting,
    long firstEmitted) {

  /** No such moment. */
  public static final long NEVER = Long.MAX_VALUE;

  /** Event time of the first positive, or {@link #NEVER}. */
  public long first() {
    return positives.isEmpty() ? NEVER : positives.get(0);
  }

  /**
   * When a correction that has learnt from the impression before closes it: with the reported
   * outcome, be it a positive or a negative, or at the horizon where negatives are silent.
   */
  public long closes() {
    return explicit ? Math.min(finalAt, horizon) : horizon;
  }
}
