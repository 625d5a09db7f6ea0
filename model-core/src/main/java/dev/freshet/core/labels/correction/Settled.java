package dev.freshet.core.labels.correction;

import dev.freshet.core.labels.LabelKind;

/**
 * Tells a label as soon as nothing can change it. Less state and fresher labels than {@link Wait},
 * at the price described there. Meant for tasks with explicit negatives, whose windows are only a
 * limit.
 */
final class Settled implements DelayCorrection {
  @Override
  public void plan(TaskTimeline task, Plan plan) {
    plan.at(task.finalAt(), LabelKind.FINAL, true);
  }

  @Override
  public boolean learnsEarly() {
    return false;
  }
}
