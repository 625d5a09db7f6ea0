package dev.freshet.training.evaluation;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.function.Supplier;

/**
 * Statistic of scored labels of one task from which a metric is computed; several metrics may share
 * one. Statistics of parts add up to the statistic of the whole.
 */
interface Statistic<S extends Statistic<S>> {

  /**
   * @param prediction a probability, or an amount
   * @param label 0 or 1, or an amount
   */
  void add(double prediction, double label);

  void merge(S other);

  /** True if it says what one says that is not in a checkpoint; then it is not written. */
  default boolean blank() {
    return false;
  }

  void write(DataOutput out) throws IOException;

  void read(DataInput in) throws IOException;

  /**
   * How a statistic is named in checkpoints and made.
   *
   * @param name never changed; one whose bytes change gets another name
   */
  record Type<S extends Statistic<S>>(String name, Supplier<S> empty) {}
}
