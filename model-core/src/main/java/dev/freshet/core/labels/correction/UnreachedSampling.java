package dev.freshet.core.labels.correction;

import static dev.freshet.core.settings.InvalidValueException.check;

import java.io.Serializable;

/**
 * Learns only a share of the records that say nothing but that a step was not reached: no purchase,
 * for there was no click. They are most of what a chain of tasks emits, and say little: the model
 * has learnt that there was no click from a record before, and a gradient of a negative is as small
 * as the prediction. Those that are learnt weigh {@code 1 / kept}, so the expected gradient is that
 * of all of them (Horvitz and Thompson 1952), and nothing has to be turned back.
 *
 * @param kept share of those records that is learnt
 */
public record UnreachedSampling(double kept) implements Serializable {

  private static final long SALT = 0x2C1B3C6D297A2D39L;

  public UnreachedSampling {
    check(kept > 0 && kept <= 1, "unreached-sampling", kept, "a share above 0 and up to 1");
  }

  /**
   * True if such a record of an impression is learnt.
   *
   * @param task the first that the record teaches: of one impression, records of several tasks are
   *     chosen apart, or what is predicted for those of the second would know those of the first
   */
  public boolean keeps(long impression, int task) {
    // Another hash than those of the holdout and the negative sampling, which take the same id.
    return NegativeSampling.drawn(impression ^ SALT * (task + 1), kept);
  }

  /** Factor on the weight of each label of such a record. */
  public double weight(long impression, int task) {
    return keeps(impression, task) ? 1 / kept : 0;
  }
}
