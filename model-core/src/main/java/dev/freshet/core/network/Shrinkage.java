package dev.freshet.core.network;

import java.io.Serializable;

/**
 * How much of what sets the examples of a binary task apart is served: the calibration slope of Cox
 * (Biometrika 1958) around the task's base rate.
 *
 * <pre>
 * logit(served) = logit(rate) + slope (logit(said) - logit(rate))
 * </pre>
 *
 * @param rate base rate of the task, above 0 and below 1: what is served with a slope of 0
 * @param slope 0 to 1; 1 serves what is said
 */
public record Shrinkage(double rate, double slope) implements Serializable {

  /** Serves what is said. */
  public static final Shrinkage NONE = new Shrinkage(0.5, 1);

  private static final double SMALLEST = 1e-9;

  /** True if both are in their ranges. */
  public boolean sound() {
    return rate > 0 && rate < 1 && slope >= 0 && slope <= 1;
  }

  /** The prediction that is served where {@code said} would be without this; NaN stays that. */
  public double served(double said) {
    if (slope == 1) {
      return said;
    }
    double centre = logOdds(rate);
    return 1 / (1 + Math.exp(-(centre + slope * (logOdds(said) - centre))));
  }

  /** Log-odds of a probability, those of 0 and 1 as of the nearest number that has some. */
  public static double logOdds(double probability) {
    double bounded = Math.min(Math.max(probability, SMALLEST), 1 - SMALLEST);
    return Math.log(bounded / (1 - bounded));
  }
}
