package dev.freshet.core.labels;

import java.io.Serializable;

/**
 * One task's label on one example.
 *
 * @param value 0 or 1, or the aggregated amount in its own unit
 * @param weight importance weight in the loss; 0 means the label is scored but not learnt
 * @param elapsed milliseconds from the parent's event to the moment the label was read
 * @param delay milliseconds from the parent's event to the task's first event; -1 for none
 * @param reached true if the step before happened, so that a positive was possible; true for the
 *     first
 * @param late true if the task's first event came after its first record, which was emitted without
 *     it
 * @param changes of an amount that is emitted with each change: which change this is, 0 for the
 *     first record; in a final label all that were emitted before it. Where parts of a window are
 *     emitted: the part, from 0
 */
public record TaskLabel(
    LabelKind kind,
    double value,
    float weight,
    long elapsed,
    long delay,
    boolean reached,
    boolean late,
    int changes)
    implements Serializable {

  /** The label of a task that this example says nothing about. */
  public static final TaskLabel NONE = new TaskLabel(LabelKind.NONE, 0, 0, 0, -1, false);

  /** A label that is emitted once. */
  public TaskLabel(
      LabelKind kind, double value, float weight, long elapsed, long delay, boolean reached) {
    this(kind, value, weight, elapsed, delay, reached, false, 0);
  }

  /** True if an example with these labels says nothing about any task. */
  public static boolean noneOf(TaskLabel[] labels) {
    for (TaskLabel label : labels) {
      if (label.present()) {
        return false;
      }
    }
    return true;
  }

  /** The same label with another weight. */
  public TaskLabel withWeight(float other) {
    return new TaskLabel(kind, value, other, elapsed, delay, reached, late, changes);
  }

  /** The same label of another value. */
  public TaskLabel withValue(double other) {
    return new TaskLabel(kind, other, weight, elapsed, delay, reached, late, changes);
  }

  public boolean isFinal() {
    return kind == LabelKind.FINAL;
  }

  public boolean present() {
    return kind != LabelKind.NONE;
  }
}
