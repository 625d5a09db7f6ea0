package dev.freshet.training.evaluation;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Quality of predicted amounts, in the amount's own unit.
 *
 * <ul>
 *   <li>{@code mae}, {@code rmse}.
 *   <li>{@code nrmse}: RMSE over the standard deviation of the labels; {@code nmae}: MAE over the
 *       mean absolute label. Two normalisers on purpose: our reading of HTLNet's tables.
 *   <li>{@code gini}: normalised Gini, the area that the predicted ranking gains over the area that
 *       the perfect one gains; {@code spearman}: rank correlation, ties share their mean rank;
 *       {@code decileMape}: how far each tenth's mean prediction, by prediction, is off its mean
 *       label. All from a uniform sample of at most 8192 scored labels. Gini and deciles as in the
 *       evaluation of ZILN (Wang et al. 2019).
 *   <li>{@code calibration}: sum of predictions over sum of labels.
 * </ul>
 */
public final class AmountQuality implements Accumulator<AmountQuality> {

  private static final int SAMPLE = 8192;

  private long count;
  private double sumLabel;
  private double sumAbsoluteLabel;
  private double sumSquareLabel;
  private double sumPrediction;
  private double sumAbsoluteError;
  private double sumSquareError;
  private double[] predictions = new double[64];
  private double[] labels = new double[64];
  private int sampled;

  @Override
  public void add(double prediction, double label) {
    double error = prediction - label;
    sumLabel += label;
    sumAbsoluteLabel += Math.abs(label);
    sumSquareLabel += label * label;
    sumPrediction += prediction;
    sumAbsoluteError += Math.abs(error);
    sumSquareError += error * error;
    count++;
    sample(prediction, label, count);
  }

  // Reservoir sampling; the draw depends on the count alone, so it needs no state.
  private void sample(double prediction, double label, long seenSoFar) {
    int place = sampled;
    if (sampled == SAMPLE) {
      long draw = new SplittableRandom(seenSoFar).nextLong(seenSoFar);
      if (draw >= SAMPLE) {
        return;
      }
      place = (int) draw;
    } else {
      if (sampled == predictions.length) {
        predictions = Arrays.copyOf(predictions, sampled * 2);
        labels = Arrays.copyOf(labels, sampled * 2);
      }
      sampled++;
    }
    predictions[place] = prediction;
    labels[place] = label;
  }

  @Override
  public void merge(AmountQuality other) {
    // Two full samples become one by thinning each to its share of the whole.
    long total = count + other.count;
    if (sampled + other.sampled > SAMPLE) {
      thin(count, total);
      AmountQuality copy = new AmountQuality();
      copy.predictions = other.predictions.clone();
      copy.labels = other.labels.clone();
      copy.sampled = other.sampled;
      copy.thin(other.count, total);
      append(copy);
    } else {
      append(other);
    }
    count = total;
    sumLabel += other.sumLabel;
    sumAbsoluteLabel += other.sumAbsoluteLabel;
    sumSquareLabel += other.sumSquareLabel;
    sumPrediction += other.sumPrediction;
    sumAbsoluteError += other.sumAbsoluteError;
    sumSquareError += other.sumSquareError;
  }

  private void thin(long own, long total) {
    int keep = (int) Math.min(sampled, Math.round((double) SAMPLE * own / total));
    SplittableRandom random = new SplittableRandom(own);
    for (int i = 0; i < keep; i++) {
      int j = i + random.nextInt(sampled - i);
      double prediction = predictions[i];
      double label = labels[i];
      predictions[i] = predictions[j];
      labels[i] = labels[j];
      predictions[j] = prediction;
      labels[j] = label;
    }
    sampled = keep;
  }

  private void append(AmountQuality other) {
    int size = Math.min(SAMPLE, sampled + other.sampled);
    predictions = Arrays.copyOf(predictions, Math.max(64, size));
    labels = Arrays.copyOf(labels, Math.max(64, size));
    System.arraycopy(other.predictions, 0, predictions, sampled, size - sampled);
    System.arraycopy(other.labels, 0, labels, sampled, size - sampled);
    sampled = size;
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
    double mean = sumLabel / count;
    double deviation = Math.sqrt(Math.max(0, sumSquareLabel / count - mean * mean));
    double rmse = Math.sqrt(sumSquareError / count);
    double mae = sumAbsoluteError / count;
    if (deviation > 0) {
      metrics.put("nrmse", rmse / deviation);
    }
    if (sumAbsoluteLabel > 0) {
      metrics.put("nmae", mae / (sumAbsoluteLabel / count));
    }
    Ranks.of(predictions, labels, sampled).addTo(metrics);
    if (sumLabel > 0) {
      metrics.put("calibration", sumPrediction / sumLabel);
    }
    metrics.put("mae", mae);
    metrics.put("rmse", rmse);
    metrics.put("mean", mean);
    return metrics;
  }

  @Override
  public void write(DataOutput out) throws IOException {
    out.writeLong(count);
    for (double sum :
        new double[] {
          sumLabel,
          sumAbsoluteLabel,
          sumSquareLabel,
          sumPrediction,
          sumAbsoluteError,
          sumSquareError
        }) {
      out.writeDouble(sum);
    }
    out.writeInt(sampled);
    for (int i = 0; i < sampled; i++) {
      out.writeDouble(predictions[i]);
      out.writeDouble(labels[i]);
    }
  }

  @Override
  public void read(DataInput in) throws IOException {
    count = in.readLong();
    sumLabel = in.readDouble();
    sumAbsoluteLabel = in.readDouble();
    sumSquareLabel = in.readDouble();
    sumPrediction = in.readDouble();
    sumAbsoluteError = in.readDouble();
    sumSquareError = in.readDouble();
    sampled = in.readInt();
    predictions = new double[Math.max(64, sampled)];
    labels = new double[Math.max(64, sampled)];
    for (int i = 0; i < sampled; i++) {
      predictions[i] = in.readDouble();
      labels[i] = in.readDouble();
    }
  }
}
