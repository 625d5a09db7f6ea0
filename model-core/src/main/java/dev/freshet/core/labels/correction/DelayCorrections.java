package dev.freshet.core.labels.correction;

import dev.freshet.core.labels.LabelKind;

/** The menu of delay corrections. */
public enum DelayCorrections implements DelayCorrection {
  /** Says nothing until the label is settled: right, and as late as the attribution window. */
  WAIT {
    @Override
    public void plan(TaskTimeline task, Plan plan) {
      plan.at(task.settled(), LabelKind.FINAL, true);
    }
  },
  /**
   * Vanilla waiting window: takes what is seen {@code waiting} after the parent's event as the
   * truth. Conversions that come later are false negatives to it. The settled label still leaves,
   * to be scored.
   */
  WINDOW {
    @Override
    public void plan(TaskTimeline task, Plan plan) {
      long first = task.positive() ? task.start() + task.waiting() : task.start();
      if (first < task.settled()) {
        plan.at(first, LabelKind.FIRST, true);
        plan.at(task.settled(), LabelKind.FINAL, false);
      } else {
        plan.at(task.settled(), LabelKind.FINAL, true);
      }
    }
  };

  @Override
  public abstract void plan(TaskTimeline task, Plan plan);
}
