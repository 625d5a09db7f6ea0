package dev.freshet.training.evaluation;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** Sum of -log of the probability that was given to what happened. */
final class LogLoss implements Statistic<LogLoss> {

  static final Type<LogLoss> TYPE = new Type<>("log-loss", LogLoss::new);

  /** Probabilities nearer to 0 or 1 count as this far away, or one label could cost infinity. */
  private static final double SMALLEST = 1e-7;

  private long count;
  private long positives;
  private double sum;

  LogLoss() {}

  LogLoss(long count, long positives, double sum) {
    this.count = count;
    this.positives = positives;
    this.sum = sum;
  }

  @Override
  public void add(double prediction, double label) {
    double p = clipped(prediction);
    boolean positive = label > 0.5;
    positives += positive ? 1 : 0;
    sum -= positive ? Math.log(p) : Math.log1p(-p);
    count++;
  }

  static double clipped(double prediction) {
    return Math.min(Math.max(prediction, SMALLEST), 1 - SMALLEST);
  }

  @Override
  public void merge(LogLoss other) {
    count += other.count;
    positives += other.positives;
    sum += other.sum;
  }

  double mean() {
    return count > 0 ? sum / count : Double.NaN;
  }

  /** Over the entropy of the base rate (He et al. 2014); NaN while all labels are the same. */
  double normalizedEntropy() {
    if (positives == 0 || positives == count) {
      return Double.NaN;
    }
    double rate = (double) positives / count;
    return sum / count / -(rate * Math.log(rate) + (1 - rate) * Math.log1p(-rate));
  }

  @Override
  public void write(DataOutput out) throws IOException {
    out.writeLong(count);
    out.writeLong(positives);
    out.writeDouble(sum);
  }

  @Override
  public void read(DataInput in) throws IOException {
    count = in.readLong();
    positives = in.readLong();
    sum = in.readDouble();
  }
}
