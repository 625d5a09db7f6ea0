package dev.freshet.training.evaluation;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** Sums of predictions and of labels. */
final class LabelTotals implements Statistic<LabelTotals> {

  static final Type<LabelTotals> TYPE = new Type<>("label-totals", LabelTotals::new);

  private long count;
  private double predictions;
  private double labels;

  LabelTotals() {}

  LabelTotals(long count, double predictions, double labels) {
    this.count = count;
    this.predictions = predictions;
    this.labels = labels;
  }

  @Override
  public void add(double prediction, double label) {
    count++;
    predictions += prediction;
    labels += label;
  }

  @Override
  public void merge(LabelTotals other) {
    count += other.count;
    predictions += other.predictions;
    labels += other.labels;
  }

  double calibration() {
    return labels > 0 ? predictions / labels : Double.NaN;
  }

  double mean() {
    return count > 0 ? labels / count : Double.NaN;
  }

  @Override
  public void write(DataOutput out) throws IOException {
    out.writeLong(count);
    out.writeDouble(predictions);
    out.writeDouble(labels);
  }

  @Override
  public void read(DataInput in) throws IOException {
    count = in.readLong();
    predictions = in.readDouble();
    labels = in.readDouble();
  }
}
