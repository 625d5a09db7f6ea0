package dev.freshet.core.network;

import dev.freshet.core.labels.AmountRange;
import dev.freshet.core.labels.Task.Transform;
import java.io.Serializable;

/**
 * Between an amount in its own unit and what the model says of it, at one moment: what a trainer
 * learns with in a step, and what a manifest hands to readers. Always finite for finite input.
 *
 * <pre>
 * plain(s) = none, deviation: unit s | zscore: centre + unit s
 *          | log1p: sign(s) unit (exp(min(|s|, 50)) - 1)
 * decode(s) = shift + factor plain(s), no smaller than from and no larger than to
 * </pre>
 *
 * <p>{@code log1p} is signed, so that refunds beyond the price stay ordered. A squared error on a
 * logarithm, or Huber's on anything, estimates something like a median; {@code factor} makes the
 * mean of it. A model that has hardly learnt says next to nothing; {@code shift} is what the mean
 * lacks where the factor has reached its bound.
 *
 * @param transform of the core task; {@code deviation} under ZILN
 * @param centre amount that counts as 0, for {@code zscore}
 * @param unit amount that counts as 1; above 0
 * @param factor of what is decoded; 0 as long as too few amounts were seen to say anything
 * @param shift of it, in the amount's own unit
 * @param from smallest plausible amount
 * @param to largest plausible amount
 */
public record AmountScale(
    Transform transform,
    double centre,
    double unit,
    double factor,
    double shift,
    double from,
    double to)
    implements Serializable {

  private static final double LARGEST_EXPONENT = 50;

  /** The scale of a manifest of format 1: count, mean and sum of squared deviations. */
  public static AmountScale ofMoments(Transform transform, double[] moments) {
    double deviation = moments[0] < 2 ? 1 : Math.sqrt(moments[2] / moments[0]);
    boolean scaled = transform == Transform.ZSCORE || transform == Transform.DEVIATION;
    return new AmountScale(
        transform,
        transform == Transform.ZSCORE ? moments[1] : 0,
        scaled && deviation > 0 ? deviation : 1,
        1,
        0,
        -Double.MAX_VALUE,
        Double.MAX_VALUE);
  }

  /** True if every part is a finite number and in its range. */
  public boolean sound() {
    return Double.isFinite(centre)
        && Double.isFinite(unit)
        && unit > 0
        && Double.isFinite(factor)
        && factor >= 0
        && Double.isFinite(shift)
        && Double.isFinite(from)
        && Double.isFinite(to)
        && from <= to;
  }

  /** True if enough was seen to learn and predict amounts. */
  public boolean ready() {
    return factor > 0;
  }

  /** An amount as it is learnt and scored: the nearest plausible one. */
  public double clip(double value) {
    return Math.min(Math.max(value, from), to);
  }

  /** A plausible amount in the model's scale. */
  public double encode(double value) {
    double clipped = clip(value);
    return switch (transform) {
      case NONE, DEVIATION -> clipped / unit;
      case LOG1P -> Math.copySign(Math.log1p(Math.abs(clipped) / unit), clipped);
      case ZSCORE -> (clipped - centre) / unit;
    };
  }

  /** Back to the amount's own unit, without the factor. */
  public double plain(double scaled) {
    double plain =
        switch (transform) {
          case NONE, DEVIATION -> scaled * unit;
          case LOG1P ->
              Math.copySign(Math.expm1(Math.min(Math.abs(scaled), LARGEST_EXPONENT)), scaled)
                  * unit;
          case ZSCORE -> scaled * unit + centre;
        };
    return clip(plain);
  }

  /** Back to the amount's own unit: what is served. */
  public double decode(double scaled) {
    return clip(shift + plain(scaled) * factor);
  }

  /** Before anything was seen. */
  public static AmountScale unknown(Transform transform, AmountRange range) {
    double from = range.from() == null ? -AmountRange.LARGEST : range.from();
    double to = range.to() == null ? AmountRange.LARGEST : range.to();
    return new AmountScale(transform, 0, 1, 0, 0, from, to);
  }
}
