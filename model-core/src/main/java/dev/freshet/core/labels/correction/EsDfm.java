package dev.freshet.core.labels.correction;

import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskKind;

/**
 * ES-DFM (Yang et al., AAAI 2021): what is seen at {@code e}, and late positives again when they
 * come. The stream shows {@code p / (1 + dp)} positives; the weights are {@code 1 + dp} and {@code
 * (1 + dp) rn}.
 */
final class EsDfm implements DelayCorrection {
  @Override
  public void plan(TaskTimeline task, Plan plan) {
    Moments.withLateCopy(task, plan);
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
  public Target target(LabelKind kind, double label, Estimates is) {
    if (kind == LabelKind.FINAL) {
      return new Target(label, 1);
    }
    return new Target(label, label > 0 ? 1 + is.late() : (1 + is.late()) * is.stays());
  }
}
