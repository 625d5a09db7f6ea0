package dev.freshet.training.evaluation;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Quality of predicted probabilities.
 *
 * <ul>
 *   <li>{@code auc}: chance that a positive scores above a negative, ties count half. Scores are
 *       sorted into 4096 bins of equal width in log-odds from -12 to 12; what shares a bin is a
 *       tie.
 *   <li>{@code logLoss}: mean of -log of the probability given to what happened.
 *   <li>{@code normalizedEntropy}: log loss over the entropy of the base rate; below 1 is better
 *       than knowing only the rate.
 *   <li>{@code calibration}: sum of predictions over number of positives (PCOC); 1 is right.
 * </ul>
 */
public final class BinaryQuality implements Accumulator<BinaryQuality> {

  private static final int BINS = 4096;
  private static final double RANGE = 12;
  private static final double SMALLEST = 1e-7;

  private final int[] positives = new int[BINS];
  private final int[] negatives = new int[BINS];
  private long count;
  private long ones;
  private double predicted;
  private double loss;

  @Override
  public void add(double prediction, double label) {
    double p = Math.min(Math.max(prediction, SMALLEST), 1 - SMALLEST);
    double logOdds = Math.log(p / (1 - p));
    int bin = (int) ((logOdds + RANGE) / (2 * RANGE) * BINS);
    bin = Math.min(Math.max(bin, 0), BINS - 1);
    boolean positive = label > 0.5;
    if (positive) {
      positives[bin]++;
      ones++;
    } else {
      negatives[bin]++;
    }
    loss -= positive ? Math.log(p) : Math.log1p(-p);
    predicted += prediction;
    count++;
  }

  @Override
  public void merge(BinaryQuality other) {
    for (int i = 0; i < BINS; i++) {
      positives[i] += other.positives[i];
      negatives[i] += other.negatives[i];
    }
    count += other.count;
    ones += other.ones;
    predicted += other.predicted;
    loss += other.loss;
  }

  @Override
  public long count() {
    return count;
  }

  @Override
  public Map<String, Double> metrics() {
    Map<String, Double> metrics = new LinkedHashMap<>();
    if (count == 0) {
      return metrics;
    }
    double rate = (double) ones / count;
    if (ones > 0 && ones < count) {
      metrics.put("auc", auc());
      metrics.put("prAuc", averagePrecision());
    }
    metrics.put("logLoss", loss / count);
    if (ones > 0 && ones < count) {
      double entropy = -(rate * Math.log(rate) + (1 - rate) * Math.log1p(-rate));
      metrics.put("normalizedEntropy", loss / count / entropy);
    }
    if (ones > 0) {
      metrics.put("calibration", predicted / ones);
    }
    metrics.put("rate", rate);
    return metrics;
  }

  /** Average precision: precision at each threshold, weighted by the recall that it adds. */
  private double averagePrecision() {
    double found = 0;
    double shown = 0;
    double sum = 0;
    for (int i = BINS - 1; i >= 0; i--) {
      found += positives[i];
      shown += positives[i] + negatives[i];
      if (positives[i] > 0) {
        sum += positives[i] * (found / shown);
      }
    }
    return sum / ones;
  }

  private double auc() {
    double below = 0;
    double pairs = 0;
    for (int i = 0; i < BINS; i++) {
      pairs += positives[i] * (below + negatives[i] / 2.0);
      below += negatives[i];
    }
    return pairs / ((double) ones * (count - ones));
  }

  @Override
  public void write(DataOutput out) throws IOException {
    out.writeLong(count);
    out.writeLong(ones);
    out.writeDouble(predicted);
    out.writeDouble(loss);
    for (int i = 0; i < BINS; i++) {
      out.writeInt(positives[i]);
      out.writeInt(negatives[i]);
    }
  }

  @Override
  public void read(DataInput in) throws IOException {
    count = in.readLong();
    ones = in.readLong();
    predicted = in.readDouble();
    loss = in.readDouble();
    for (int i = 0; i < BINS; i++) {
      positives[i] = in.readInt();
      negatives[i] = in.readInt();
    }
  }
}
