package dev.freshet.core.labels.correction;

import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskKind;

/**
 * For outcomes that are reported, ours: a pending impression teaches what it has survived. Its
 * window is cut at fixed shares of its length. At the end of the first part the impression is
 * learnt: with its outcome if that is known, else with the chance of a positive given that it is
 * not, as the heads think; at the end of each part up to that of its outcome it teaches the heads
 * whether it was decided in that part, and how. Positives and negatives of a part are emitted at
 * one age, its end, and each impression weighs 1 in all. Discrete-time competing risks: with {@code
 * u} the chance to pass a part undecided and {@code y} that of a positive if decided in it, the
 * chance of a positive after part k is {@code sum over j > k of u_(k+1) ... u_(j-1) (1 - u_j) y_j}.
 */
final class Hazard implements DelayCorrection {

  /** Shares of a window at which parts of it end. More of them early, when most is undecided. */
  private static final double[] PARTS = {0.03, 0.1, 0.25, 0.5, 0.75, 1};

  @Override
  public void plan(TaskTimeline task, Plan plan) {
    long decided = task.closes();
    for (int part = 0; part < PARTS.length; part++) {
      long end = end(task, part);
      if (decided <= end || part == PARTS.length - 1) {
        plan.at(end, LabelKind.FINAL, part == 0);
        return;
      }
      plan.at(end, part == 0 ? LabelKind.FIRST : LabelKind.PENDING, part == 0);
    }
  }

  @Override
  public boolean suits(TaskKind kind) {
    return kind == TaskKind.BINARY;
  }

  @Override
  public boolean estimates() {
    return true;
  }

  private long end(TaskTimeline task, int part) {
    long whole = task.horizon() - task.parentEmitted();
    return part == PARTS.length - 1
        ? task.horizon()
        : task.parentEmitted() + (long) (PARTS[part] * whole);
  }

  @Override
  public int parts() {
    return PARTS.length;
  }

  @Override
  public boolean needsReports() {
    return true;
  }

  @Override
  public Target target(LabelKind kind, double label, Estimates is) {
    return new Target(kind == LabelKind.FIRST ? 1 - is.stays() : label, 1);
  }
}
