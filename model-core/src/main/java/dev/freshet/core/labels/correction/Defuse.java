package dev.freshet.core.labels.correction;

import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskKind;

/**
 * DEFUSE (Chen et al., WWW 2022): the stream of {@link EsDfm}; a negative at {@code e} is split,
 * with {@code z = 1 - rn}, into a positive of weight {@code z dp} and a negative of weight {@code
 * (1 - z)(1 + dp)}; a positive at {@code e} weighs {@code 1 + dp}, a late copy 1.
 */
final class Defuse implements DelayCorrection {
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
    if (kind != LabelKind.FIRST) {
      return new Target(label, 1);
    }
    if (label > 0) {
      return new Target(label, 1 + is.late());
    }
    double positive = (1 - is.stays()) * is.late();
    double negative = is.stays() * (1 + is.late());
    return positive + negative > 0
        ? new Target(positive / (positive + negative), positive + negative)
        : new Target(0, 0);
  }
}
