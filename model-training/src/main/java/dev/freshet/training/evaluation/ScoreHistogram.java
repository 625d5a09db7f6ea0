package dev.freshet.training.evaluation;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;

/**
 * Positives and negatives by predicted probability: 4096 bins of equal width in log-odds from -12
 * to 12. What shares a bin is a tie.
 */
final class ScoreHistogram implements Statistic<ScoreHistogram> {

  static final Type<ScoreHistogram> TYPE = new Type<>("score-histogram", ScoreHistogram::new);

  private static final int BINS = 4096;
  private static final double RANGE = 12;

  private final int[] positives = new int[BINS];
  private final int[] negatives = new int[BINS];

  @Override
  public void add(double prediction, double label) {
    double p = LogLoss.clipped(prediction);
    int bin = (int) ((Math.log(p / (1 - p)) + RANGE) / (2 * RANGE) * BINS);
    bin = Math.min(Math.max(bin, 0), BINS - 1);
    (label > 0.5 ? positives : negatives)[bin]++;
  }

  @Override
  public void merge(ScoreHistogram other) {
    for (int i = 0; i < BINS; i++) {
      positives[i] += other.positives[i];
      negatives[i] += other.negatives[i];
    }
  }

  private static long sum(int[] bins) {
    return Arrays.stream(bins).asLongStream().sum();
  }

  /** Chance that a positive scores above a negative, ties count half; NaN without one of each. */
  double auc() {
    double below = 0;
    double pairs = 0;
    for (int i = 0; i < BINS; i++) {
      pairs += positives[i] * (below + negatives[i] / 2.0);
      below += negatives[i];
    }
    double all = (double) sum(positives) * sum(negatives);
    return all > 0 ? pairs / all : Double.NaN;
  }

  /**
   * Average precision: precision at each threshold, weighted by the recall that it adds; NaN
   * without a positive and a negative.
   */
  double averagePrecision() {
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
    return found > 0 && shown > found ? sum / found : Double.NaN;
  }

  @Override
  public void write(DataOutput out) throws IOException {
    for (int i = 0; i < BINS; i++) {
      out.writeInt(positives[i]);
      out.writeInt(negatives[i]);
    }
  }

  @Override
  public void read(DataInput in) throws IOException {
    for (int i = 0; i < BINS; i++) {
      positives[i] = in.readInt();
      negatives[i] = in.readInt();
    }
  }
}
