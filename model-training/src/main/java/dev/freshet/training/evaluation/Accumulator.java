package dev.freshet.training.evaluation;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Map;

/** Sums up scored labels of one task; sums of parts add up to the sum of the whole. */
public interface Accumulator<A extends Accumulator<A>> {

  /**
   * @param prediction a probability, or an amount
   * @param label 0 or 1, or an amount
   */
  void add(double prediction, double label);

  void merge(A other);

  long count();

  /**
   * The metrics by name; a metric that is not defined yet, such as AUC of one class, is left out.
   */
  Map<String, Double> metrics();

  void write(DataOutput out) throws IOException;

  void read(DataInput in) throws IOException;
}
