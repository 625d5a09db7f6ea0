package dev.freshet.core.labels.correction;

import dev.freshet.core.labels.LabelKind;

/** The moments that several corrections have in common. */
final class Moments {

  private Moments() {}

  /** When a record first dares to speak, if it waits for {@code e} after the parent. */
  static long firstMoment(TaskTimeline task) {
    return firstMoment(task, task.waiting());
  }

  /**
   * When a record first dares to speak: so long after the parent, at once without a parent, and not
   * before the parent's own label is told. Once it has spoken that moment stays, even if the
   * parent's event comes after it.
   */
  static long firstMoment(TaskTimeline task, long waiting) {
    if (task.spoke() != TaskTimeline.NEVER) {
      return task.spoke();
    }
    long waited = task.positive() ? task.start() + waiting : task.start();
    return Math.max(waited, task.parentTold());
  }

  /** Whether the yes came after the first record had said no. */
  static boolean late(TaskTimeline task) {
    return task.first() != TaskTimeline.NEVER
        && task.first() > firstMoment(task)
        && task.first() <= task.closes();
  }

  /**
   * What is seen at {@code e}, and the settled label to be scored; whether there is time for both.
   */
  static boolean first(TaskTimeline task, DelayCorrection.Plan plan) {
    boolean early = firstMoment(task) < task.closes();
    if (early) {
      plan.at(firstMoment(task), LabelKind.FIRST, true);
    }
    plan.at(task.closes(), LabelKind.FINAL, !early);
    return early;
  }

  /** A no at once, a yes whenever it comes, and the settled label to be scored. */
  static void atOnce(TaskTimeline task, DelayCorrection.Plan plan) {
    plan.at(firstMoment(task, 0), LabelKind.FIRST, true);
    if (task.first() != TaskTimeline.NEVER) {
      plan.at(task.first(), LabelKind.LATE_COPY, true);
    }
    plan.at(task.closes(), LabelKind.FINAL, false);
  }

  /** What is seen at {@code e}, and a yes that comes later once more. */
  static void withLateCopy(TaskTimeline task, DelayCorrection.Plan plan) {
    if (first(task, plan) && late(task)) {
      plan.at(task.first(), LabelKind.LATE_COPY, true);
    }
  }
}
