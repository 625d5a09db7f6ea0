package dev.freshet.core.labels.correction;

import dev.freshet.core.labels.LabelKind;

/** The moments that several corrections have in common. */
final class Moments {

  private Moments() {}

  /** Moment of the first record, if it waits for {@code e} after the parent. */
  static long firstMoment(TaskTimeline task) {
    return firstMoment(task, task.waiting());
  }

  /**
   * Moment of the first record: so long after the parent, at once without a parent, and not before
   * the parent's own label is emitted. Once it was emitted that moment stays, even if the parent's
   * event comes after it.
   */
  static long firstMoment(TaskTimeline task, long waiting) {
    if (task.firstEmitted() != TaskTimeline.NEVER) {
      return task.firstEmitted();
    }
    long waited = task.positive() ? task.start() + waiting : task.start();
    return Math.max(waited, task.parentEmitted());
  }

  /** True if the positive came after the first record, which was a negative. */
  static boolean late(TaskTimeline task) {
    return task.first() != TaskTimeline.NEVER
        && task.first() > firstMoment(task)
        && task.first() <= task.closes();
  }

  /**
   * Plans what is seen at {@code e}, and the final label to be scored; true if there is time for
   * both.
   */
  static boolean first(TaskTimeline task, DelayCorrection.Plan plan) {
    boolean early = firstMoment(task) < task.closes();
    if (early) {
      plan.at(firstMoment(task), LabelKind.FIRST, true);
    }
    plan.at(task.closes(), LabelKind.FINAL, !early);
    return early;
  }

  /** Plans a negative at once, a positive whenever it comes, and the final label to be scored. */
  static void atOnce(TaskTimeline task, DelayCorrection.Plan plan) {
    plan.at(firstMoment(task, 0), LabelKind.FIRST, true);
    if (task.first() != TaskTimeline.NEVER) {
      plan.at(task.first(), LabelKind.LATE_COPY, true);
    }
    plan.at(task.closes(), LabelKind.FINAL, false);
  }

  /** Plans what is seen at {@code e}, and a positive that comes later once more. */
  static void withLateCopy(TaskTimeline task, DelayCorrection.Plan plan) {
    if (first(task, plan) && late(task)) {
      plan.at(task.first(), LabelKind.LATE_COPY, true);
    }
  }
}
