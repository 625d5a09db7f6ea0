package dev.freshet.core.labels.correction;

/**
 * Estimates about a record when it is learnt, all of it before this record is learnt from and
 * without gradient.
 *
 * @param p the model's own prediction
 * @param late chance that the positive comes after the waiting time, dp in the papers
 * @param stays chance that what was a negative at the waiting time stays one, rn in the papers; of
 *     what is pending still, that it ends as a negative; of an amount, that no change follows
 */
public record Estimates(double p, double late, double stays) {

  /** Where nothing is estimated: no positive is late. */
  public static Estimates notLate(double p) {
    return new Estimates(p, 0, 1);
  }
}
