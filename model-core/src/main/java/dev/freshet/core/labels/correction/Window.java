package dev.freshet.core.labels.correction;

/**
 * Vanilla waiting window: takes what is seen {@code e} after the parent's event as the truth.
 * Conversions that come later are false negatives to it. The final label is still emitted, at the
 * horizon, to be scored.
 */
final class Window implements DelayCorrection {
  @Override
  public void plan(TaskTimeline task, Plan plan) {
    Moments.first(task, plan);
  }
}
