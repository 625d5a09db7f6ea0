package dev.freshet.training.evaluation;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;
import java.util.SplittableRandom;

/** A uniform sample of at most 8192 scored amounts, for what asks for their order. */
final class AmountSample implements Statistic<AmountSample> {

  static final Type<AmountSample> TYPE = new Type<>("amount-sample", AmountSample::new);

  private static final int MOST = 8192;
  private static final int FIRST = 64;

  private long seen;
  private double[] predictions = new double[FIRST];
  private double[] labels = new double[FIRST];
  private int size;

  // Reservoir sampling; the draw depends on the count alone, so it needs no state.
  @Override
  public void add(double prediction, double label) {
    seen++;
    int place = size;
    if (size == MOST) {
      long draw = new SplittableRandom(seen).nextLong(seen);
      if (draw >= MOST) {
        return;
      }
      place = (int) draw;
    } else {
      if (size == predictions.length) {
        predictions = Arrays.copyOf(predictions, size * 2);
        labels = Arrays.copyOf(labels, size * 2);
      }
      size++;
    }
    predictions[place] = prediction;
    labels[place] = label;
  }

  @Override
  public void merge(AmountSample other) {
    // Two full samples become one by thinning each to its share of the whole.
    long total = seen + other.seen;
    AmountSample more = other;
    if (size + other.size > MOST) {
      thin(seen, total);
      more = new AmountSample();
      more.append(other);
      more.thin(other.seen, total);
    }
    append(more);
    seen = total;
  }

  private void thin(long own, long total) {
    int keep = (int) Math.min(size, Math.round((double) MOST * own / total));
    SplittableRandom random = new SplittableRandom(own);
    for (int i = 0; i < keep; i++) {
      int j = i + random.nextInt(size - i);
      double prediction = predictions[i];
      double label = labels[i];
      predictions[i] = predictions[j];
      labels[i] = labels[j];
      predictions[j] = prediction;
      labels[j] = label;
    }
    size = keep;
  }

  private void append(AmountSample other) {
    int longer = Math.min(MOST, size + other.size);
    predictions = Arrays.copyOf(predictions, Math.max(FIRST, longer));
    labels = Arrays.copyOf(labels, Math.max(FIRST, longer));
    System.arraycopy(other.predictions, 0, predictions, size, longer - size);
    System.arraycopy(other.labels, 0, labels, size, longer - size);
    size = longer;
  }

  double gini() {
    return Ranks.gini(predictions, labels, size);
  }

  double spearman() {
    return Ranks.spearman(predictions, labels, size);
  }

  double decileMape() {
    return Ranks.decileMape(predictions, labels, size);
  }

  @Override
  public void write(DataOutput out) throws IOException {
    out.writeLong(seen);
    out.writeInt(size);
    for (int i = 0; i < size; i++) {
      out.writeDouble(predictions[i]);
      out.writeDouble(labels[i]);
    }
  }

  @Override
  public void read(DataInput in) throws IOException {
    read(in.readLong(), in);
  }

  /** Reads all but how many were seen, which version 12 of a trainer's snapshot has elsewhere. */
  void read(long seenBefore, DataInput in) throws IOException {
    seen = seenBefore;
    size = in.readInt();
    predictions = new double[Math.max(FIRST, size)];
    labels = new double[Math.max(FIRST, size)];
    for (int i = 0; i < size; i++) {
      predictions[i] = in.readDouble();
      labels[i] = in.readDouble();
    }
  }
}
