package dev.freshet.training.evaluation;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** Sums of errors of predicted amounts, and of what they are measured by; in the amount's unit. */
final class AmountErrors implements Statistic<AmountErrors> {

  static final Type<AmountErrors> TYPE = new Type<>("amount-errors", AmountErrors::new);

  private long count;
  private double labels;
  private double absoluteLabels;
  private double squaredLabels;
  private double absoluteErrors;
  private double squaredErrors;

  AmountErrors() {}

  AmountErrors(
      long count,
      double labels,
      double absoluteLabels,
      double squaredLabels,
      double absoluteErrors,
      double squaredErrors) {
    this.count = count;
    this.labels = labels;
    this.absoluteLabels = absoluteLabels;
    this.squaredLabels = squaredLabels;
    this.absoluteErrors = absoluteErrors;
    this.squaredErrors = squaredErrors;
  }

  @Override
  public void add(double prediction, double label) {
    double error = prediction - label;
    labels += label;
    absoluteLabels += Math.abs(label);
    squaredLabels += label * label;
    absoluteErrors += Math.abs(error);
    squaredErrors += error * error;
    count++;
  }

  @Override
  public void merge(AmountErrors other) {
    count += other.count;
    labels += other.labels;
    absoluteLabels += other.absoluteLabels;
    squaredLabels += other.squaredLabels;
    absoluteErrors += other.absoluteErrors;
    squaredErrors += other.squaredErrors;
  }

  double mae() {
    return count > 0 ? absoluteErrors / count : Double.NaN;
  }

  double rmse() {
    return count > 0 ? Math.sqrt(squaredErrors / count) : Double.NaN;
  }

  /** RMSE over the standard deviation of the labels; NaN while all labels are the same. */
  double nrmse() {
    double mean = labels / count;
    double deviation = Math.sqrt(Math.max(0, squaredLabels / count - mean * mean));
    return deviation > 0 ? rmse() / deviation : Double.NaN;
  }

  /** MAE over the mean absolute label. */
  double nmae() {
    return absoluteLabels > 0 ? mae() / (absoluteLabels / count) : Double.NaN;
  }

  @Override
  public void write(DataOutput out) throws IOException {
    out.writeLong(count);
    out.writeDouble(labels);
    out.writeDouble(absoluteLabels);
    out.writeDouble(squaredLabels);
    out.writeDouble(absoluteErrors);
    out.writeDouble(squaredErrors);
  }

  @Override
  public void read(DataInput in) throws IOException {
    count = in.readLong();
    labels = in.readDouble();
    absoluteLabels = in.readDouble();
    squaredLabels = in.readDouble();
    absoluteErrors = in.readDouble();
    squaredErrors = in.readDouble();
  }
}
