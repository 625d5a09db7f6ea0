package dev.freshet.core.training;

import dev.freshet.core.labels.Task;

/**
 * Between a continuous label in its own unit and the scale in which the model learns it. For {@code
 * zscore} and {@code deviation}, mean and deviation are those of all labels learnt so far
 * (Welford), and belong to the model: they are in its checkpoint and in every manifest.
 *
 * <p>{@code log1p} is signed, so that refunds beyond the price stay ordered: {@code sign(y) log(1 +
 * |y|)}. A squared error on it estimates a median-like value, not a mean: expect calibration below
 * 1.
 */
public final class TargetScale {

  private final Task.Transform transform;
  private long count;
  private double mean;
  private double squares;

  public TargetScale(Task.Transform transform) {
    this.transform = transform;
  }

  /** A label was seen. */
  void see(double value) {
    count++;
    double off = value - mean;
    mean += off / count;
    squares += off * (value - mean);
  }

  private double deviation() {
    double deviation = count < 2 ? 1 : Math.sqrt(squares / count);
    return deviation > 0 ? deviation : 1;
  }

  /** Into the model's scale. */
  public double encode(double value) {
    return switch (transform) {
      case NONE -> value;
      case LOG1P -> Math.copySign(Math.log1p(Math.abs(value)), value);
      case ZSCORE -> (value - mean) / deviation();
      case DEVIATION -> value / deviation();
    };
  }

  /** Back to the label's own unit. */
  public double decode(double scaled) {
    return switch (transform) {
      case NONE -> scaled;
      case LOG1P -> Math.copySign(Math.expm1(Math.min(Math.abs(scaled), 50)), scaled);
      case ZSCORE -> scaled * deviation() + mean;
      case DEVIATION -> scaled * deviation();
    };
  }

  /** Count, mean and sum of squared deviations. */
  public double[] state() {
    return new double[] {count, mean, squares};
  }

  /** The inverse of {@link #state}. */
  public void restore(double[] state) {
    count = (long) state[0];
    mean = state[1];
    squares = state[2];
  }
}
