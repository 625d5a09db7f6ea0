package dev.freshet.core.labels.correction;

import dev.freshet.core.labels.LabelKind;

/**
 * Says nothing until the task's horizon: right, and as late as the attribution windows together.
 * Every impression's label is emitted at the same age, whatever it is. Were it emitted when it is
 * final, an impression without a click would say "no purchase" hours before one with a click can
 * say anything, and whatever shows the model how old an example is would give the label away.
 */
final class Wait implements DelayCorrection {
  @Override
  public void plan(TaskTimeline task, Plan plan) {
    plan.at(task.horizon(), LabelKind.FINAL, true);
  }

  @Override
  public boolean learnsEarly() {
    return false;
  }
}
