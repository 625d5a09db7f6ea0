package dev.freshet.core.labels.correction;

import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskKind;

/**
 * For amounts, ours, on the question of READER (WWW 2026): the amount as it stands at {@code e};
 * then, at each purchase or refund, the new amount; at the horizon whatever was not emitted yet. A
 * record weighs the chance that it is final, so that an impression weighs 1 in all and what is
 * taught is its final amount, in the mean: {@code sum over records of P(no change follows)
 * loss(amount)}. The chance is estimated apart for records of nothing so far and of something.
 */
final class Revise implements DelayCorrection {
  @Override
  public void plan(TaskTimeline task, Plan plan) {
    long seen = Moments.firstMoment(task);
    if (seen < task.closes()) {
      plan.at(seen, LabelKind.FIRST, true);
      for (long change : task.positives()) {
        if (change > seen && change <= task.closes()) {
          plan.at(change, LabelKind.LATE_COPY, true);
        }
      }
    }
    plan.at(task.closes(), LabelKind.FINAL, true);
  }

  @Override
  public boolean suits(TaskKind kind) {
    return kind == TaskKind.CONTINUOUS;
  }

  @Override
  public boolean estimates() {
    return true;
  }

  @Override
  public boolean emitsChanges() {
    return true;
  }

  @Override
  public Target target(LabelKind kind, double label, Estimates is) {
    return new Target(label, kind == LabelKind.FINAL ? 1 : is.stays());
  }
}
