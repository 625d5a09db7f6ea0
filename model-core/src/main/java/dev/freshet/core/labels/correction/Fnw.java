package dev.freshet.core.labels.correction;

import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskKind;

/**
 * Fake negative weighted (Ktena et al., RecSys 2019): a negative at once, a positive whenever it
 * comes. In this stream a positive is as frequent as {@code b = p / (1 + p)}; the weights {@code 1
 * + p} and {@code (1 - p)(1 + p)} turn it back.
 */
final class Fnw implements DelayCorrection {
  @Override
  public void plan(TaskTimeline task, Plan plan) {
    Moments.atOnce(task, plan);
  }

  @Override
  public boolean suits(TaskKind kind) {
    return kind == TaskKind.BINARY;
  }

  @Override
  public boolean readsPrediction() {
    return true;
  }

  @Override
  public Target target(LabelKind kind, double label, Estimates is) {
    return switch (kind) {
      case FIRST -> new Target(0, (1 - is.p()) * (1 + is.p()));
      case LATE_COPY -> new Target(1, 1 + is.p());
      default -> new Target(label, 1);
    };
  }
}
