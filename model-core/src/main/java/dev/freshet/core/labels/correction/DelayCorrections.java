package dev.freshet.core.labels.correction;

import dev.freshet.core.labels.LabelKind;

/** The menu of delay corrections. */
public enum DelayCorrections implements DelayCorrection {
  /**
   * Says nothing until the task's horizon: right, and as late as the attribution windows together.
   * Every impression's label is told at the same age, whatever it is. Were it told when it settles,
   * an impression without a click would say "no purchase" hours before one with a click can say
   * anything, and whatever tells the model how old an example is would give the label away.
   */
  WAIT {
    @Override
    public void plan(TaskTimeline task, Plan plan) {
      plan.at(task.horizon(), LabelKind.FINAL, true);
    }
  },
  /**
   * Tells a label as soon as nothing can change it. Less state and fresher labels than {@link
   * #WAIT}, at the price described there. Meant for tasks with explicit negatives, whose windows
   * are only a limit.
   */
  SETTLED {
    @Override
    public void plan(TaskTimeline task, Plan plan) {
      plan.at(task.settled(), LabelKind.FINAL, true);
    }
  },
  /**
   * Vanilla waiting window: takes what is seen {@code waiting} after the parent's event as the
   * truth. Conversions that come later are false negatives to it. The settled label still leaves,
   * at the horizon, to be scored.
   */
  WINDOW {
    @Override
    public void plan(TaskTimeline task, Plan plan) {
      long first = task.positive() ? task.start() + task.waiting() : task.start();
      if (first < task.horizon()) {
        plan.at(first, LabelKind.FIRST, true);
        plan.at(task.horizon(), LabelKind.FINAL, false);
      } else {
        plan.at(task.horizon(), LabelKind.FINAL, true);
      }
    }
  };

  @Override
  public abstract void plan(TaskTimeline task, Plan plan);
}
