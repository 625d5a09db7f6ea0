package dev.freshet.core.labels.correction;

import static dev.freshet.core.settings.InvalidValueException.check;

import java.io.Serializable;

/**
 * Learns only a share of the negatives, chosen by hash of the impression, and takes that out again.
 *
 * <p>A binary task: every positive is learnt and {@code kept} of the negatives, task by task, so
 * the odds that a model learns are {@code 1 / kept} times the true ones, and {@link #served} turns
 * them back. An amount: zeros that are kept weigh {@code 1 / kept}, so nothing has to be turned
 * back.
 *
 * @param kept negative sampling rate: the share of the negatives and zeros that is learnt
 */
public record NegativeSampling(double kept) implements Serializable {

  /** Learns everything. */
  public static final NegativeSampling NONE = new NegativeSampling(1);

  private static final long SALT = 0x5851F42D4C957F2DL;
  private static final long MIX = 0xBF58476D1CE4E5B9L;

  public NegativeSampling {
    check(kept > 0 && kept <= 1, "negative-sampling", kept, "a share above 0 and up to 1");
  }

  /** True if the negatives of an impression are learnt. */
  public boolean keeps(long impression) {
    // Another hash than that of the holdout, which is taken from the same id.
    return drawn(impression ^ SALT, kept);
  }

  /** True for a share of all numbers, chosen by their hash. */
  static boolean drawn(long number, double share) {
    long mixed = number * MIX;
    mixed = (mixed ^ mixed >>> 31) * MIX;
    return (mixed >>> 11) * 0x1.0p-53 < share;
  }

  /** A record of a binary task after sampling: the part of it that is negative is sampled. */
  public Target sampled(Target target, long impression) {
    if (kept == 1 || target.label() == 1) {
      return target;
    }
    if (!keeps(impression)) {
      return new Target(target.label(), 0);
    }
    // Of a record that is split, the positive must not be sampled: it stands for those left out.
    double positive = target.label() * target.weight() / kept;
    double negative = (1 - target.label()) * target.weight();
    return positive + negative > 0
        ? new Target(positive / (positive + negative), positive + negative)
        : target;
  }

  /** Factor on the weight of an amount. */
  public double amountWeight(double amount, long impression) {
    if (kept == 1 || amount != 0) {
      return 1;
    }
    return keeps(impression) ? 1 / kept : 0;
  }

  /** From a learnt probability to that of a stream with all its negatives. */
  public double served(double learnt) {
    return kept * learnt / (1 - learnt + kept * learnt);
  }
}
