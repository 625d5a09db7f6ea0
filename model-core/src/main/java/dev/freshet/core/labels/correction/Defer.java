package dev.freshet.core.labels.correction;

import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskKind;

/**
 * DEFER (Gu et al., KDD 2021): what is seen at {@code e}, and every example once more with its true
 * label: late positives when they come, all others at the horizon. Everything is there twice, so
 * features keep their distribution; the weights are {@code p / (p - dp / 2)} and {@code (1 - p) /
 * (1 - p + dp / 2)}.
 */
final class Defer implements DelayCorrection {
  @Override
  public void plan(TaskTimeline task, Plan plan) {
    long seen = Moments.firstMoment(task);
    if (seen >= task.closes()) {
      plan.at(task.closes(), LabelKind.FINAL, true);
      return;
    }
    plan.at(seen, LabelKind.FIRST, true);
    if (Moments.late(task)) {
      plan.at(task.first(), LabelKind.LATE_COPY, true);
    }
    plan.at(task.closes(), LabelKind.FINAL, !Moments.late(task));
  }

  @Override
  public boolean suits(TaskKind kind) {
    return kind == TaskKind.BINARY;
  }

  @Override
  public boolean estimates() {
    return true;
  }

  @Override
  public boolean readsPrediction() {
    return true;
  }

  @Override
  public Target target(LabelKind kind, double label, Estimates is) {
    double half = is.late() / 2;
    if (label > 0) {
      // At dp >= 2 p, which no true pair of them can be, the weight is without bound.
      double seen = is.p() - half;
      return new Target(label, seen > 0 ? is.p() / seen : Double.POSITIVE_INFINITY);
    }
    double seen = 1 - is.p() + half;
    return new Target(label, seen > 0 ? (1 - is.p()) / seen : 1);
  }
}
