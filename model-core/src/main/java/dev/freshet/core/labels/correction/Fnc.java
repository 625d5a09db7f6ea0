package dev.freshet.core.labels.correction;

import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskKind;

/**
 * Fake negative calibration (same paper): the stream of {@link Fnw} without weights. The model
 * learns {@code b = p / (1 + p)}; what is served and scored is {@code b / (1 - b)}.
 */
final class Fnc implements DelayCorrection {
  @Override
  public void plan(TaskTimeline task, Plan plan) {
    Moments.atOnce(task, plan);
  }

  @Override
  public boolean suits(TaskKind kind) {
    return kind == TaskKind.BINARY;
  }

  @Override
  public Target target(LabelKind kind, double label, Estimates is) {
    return new Target(kind == LabelKind.FIRST ? 0 : label, 1);
  }

  @Override
  public double served(double predicted) {
    return predicted >= 0.5 ? 1 : predicted / (1 - predicted);
  }
}
