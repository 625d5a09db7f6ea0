package dev.freshet.training.evaluation;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** Number of labels that were scored at the base rate, as nothing had been learnt of their task. */
final class AtBaseRate implements Statistic<AtBaseRate> {

  static final Type<AtBaseRate> TYPE = new Type<>("at-base-rate", AtBaseRate::new);

  private long count;

  /** The label that was added last was one. */
  void count() {
    count++;
  }

  double share(long labels) {
    return labels > 0 ? (double) count / labels : Double.NaN;
  }

  @Override
  public void add(double prediction, double label) {}

  @Override
  public void merge(AtBaseRate other) {
    count += other.count;
  }

  @Override
  public boolean blank() {
    return count == 0;
  }

  @Override
  public void write(DataOutput out) throws IOException {
    out.writeLong(count);
  }

  @Override
  public void read(DataInput in) throws IOException {
    count = in.readLong();
  }
}
