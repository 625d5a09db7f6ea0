package dev.freshet.experiments;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.training.evaluation.Quality;
import dev.freshet.training.evaluation.TaskQuality;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * How far from the truth a candidate was, for one task as a share of how far the best constant is:
 * 1 is as good as knowing only the mean. Binary tasks by log loss, so it is their normalised
 * entropy; amounts by Poisson's deviance, which, like a squared error, is least for the mean, but
 * is not all about the largest of them; where an amount is below 0, by the squared error.
 *
 * <p>Every label is scored against the prediction from when its impression came; if nothing was
 * known of the task then, against the mean of the labels told before it.
 */
final class TuningScore {

  private static final double SMALLEST = 1e-7;

  /** Of the mean: models may say less than nothing, and one who does should not decide alone. */
  private static final double LEAST_AMOUNT = 0.01;

  private final List<Task> tasks;
  private final int[] judged;

  /** Of consecutive impressions, so that what neighbours have in common counts as error too. */
  private static final int BLOCKS = 40;

  /** Standard errors beyond which a difference is one. */
  private static final double CLEAR = 2;

  private static final int DIGITS = 4;
  private static final int MOST_DIGITS = 9;

  /** A scored impression; those of a time one after another. */
  private record Place(long time, long id) implements Comparable<Place> {
    @Override
    public int compareTo(Place other) {
      return time != other.time ? Long.compare(time, other.time) : Long.compare(id, other.id);
    }
  }

  /** The scored impressions, ascending, and what each adds to the total. */
  private final Place[] places;

  /** By judged task. */
  private final double[][] shares;

  private final double[] byTask;
  private final Quality quality;
  private final double total;

  /**
   * @param judged tasks that count
   * @param predictions as {@link Trial#predictions} has them
   * @param from when scored impressions begin
   */
  TuningScore(
      List<Task> tasks,
      int[] judged,
      List<EncodedExample> examples,
      float[][] predictions,
      long from) {
    this.tasks = tasks;
    this.judged = judged;
    TaskQuality measured = new TaskQuality(tasks, 0);
    Mean[] before = new Mean[tasks.size()];
    Arrays.setAll(before, task -> new Mean(tasks.get(task).binary()));
    Sample[] samples = new Sample[tasks.size()];
    Arrays.setAll(samples, task -> new Sample());
    for (int i = 0; i < predictions.length; i++) {
      EncodedExample example = examples.get(i);
      for (int task = 0; task < tasks.size(); task++) {
        TaskLabel label = example.labels()[task];
        if (!label.isFinal()) {
          continue;
        }
        if (example.eventTime() >= from) {
          double said = predictions[i][task];
          samples[task].add(
              new Place(example.eventTime(), example.id()),
              Double.isNaN(said) ? before[task].value() : said,
              label.value());
        }
        before[task].add(label.value());
      }
    }
    Map<Place, double[]> byImpression = new TreeMap<>();
    byTask = new double[judged.length];
    for (int j = 0; j < judged.length; j++) {
      byTask[j] = samples[judged[j]].share(byImpression, j, tasks.get(judged[j]).binary());
    }
    places = byImpression.keySet().toArray(Place[]::new);
    shares = new double[judged.length][places.length];
    int place = 0;
    for (double[] each : byImpression.values()) {
      for (int j = 0; j < judged.length; j++) {
        shares[j][place] = each[j];
      }
      place++;
    }
    for (int task = 0; task < tasks.size(); task++) {
      samples[task].tell(task, measured);
    }
    quality = measured.quality();
    double mean =
        Arrays.stream(byTask).filter(one -> !Double.isNaN(one)).average().orElse(Double.NaN);
    total = Double.isFinite(mean) ? mean : Double.POSITIVE_INFINITY;
  }

  /**
   * The mean over the judged tasks of which something can be told; infinite if a prediction was no
   * number, or if there is no such task.
   */
  double total() {
    return total;
  }

  /** Of the scored labels, the trainer's metrics. */
  Quality quality() {
    return quality;
  }

  /**
   * This score less another one's, on the impressions of both, with its standard error: that of
   * single impressions or that of blocks of them, whichever is larger.
   */
  Difference less(TuningScore other) {
    return less(other, IntStream.range(0, judged.length).toArray());
  }

  /** {@link #less} for each judged task alone. */
  Map<String, Difference> lessByTask(TuningScore other) {
    Map<String, Difference> named = new LinkedHashMap<>();
    for (int j = 0; j < judged.length; j++) {
      named.put(tasks.get(judged[j]).name(), less(other, new int[] {j}));
    }
    return named;
  }

  private Difference less(TuningScore other, int[] of) {
    double[] differences = new double[places.length];
    int count = 0;
    for (int i = 0, j = 0; i < places.length; i++) {
      while (j < other.places.length && other.places[j].compareTo(places[i]) < 0) {
        j++;
      }
      if (j < other.places.length && other.places[j].equals(places[i])) {
        for (int task : of) {
          differences[count] += (shares[task][i] - other.shares[task][j]) / of.length;
        }
        count++;
      }
    }
    double[] paired = Arrays.copyOf(differences, count);
    double error = error(paired);
    if (count >= 2 * BLOCKS) {
      double[] blocks = new double[BLOCKS];
      for (int i = 0; i < count; i++) {
        blocks[(int) ((long) i * BLOCKS / count)] += paired[i];
      }
      error = Math.max(error, error(blocks));
    }
    return new Difference(Arrays.stream(paired).sum(), error);
  }

  /** Standard error of a sum. */
  private static double error(double[] parts) {
    int count = parts.length;
    double mean = Arrays.stream(parts).average().orElse(0);
    double squares = Arrays.stream(parts).map(one -> (one - mean) * (one - mean)).sum();
    return count < 2 ? 0 : Math.sqrt(squares / (count - 1) * count);
  }

  static String text(double score) {
    return Double.isFinite(score) ? "%.4f".formatted(score) : "-";
  }

  /**
   * @param value below 0 is better
   */
  record Difference(double value, double error) {

    /** True if it is a gain beyond two standard errors. */
    boolean pays() {
      return -value > CLEAR * error;
    }

    /** True if it is a loss beyond two standard errors. */
    boolean costs() {
      return value > CLEAR * error;
    }

    /** Words for a change that is not made. */
    String kept() {
      return costs() ? "worse, default kept" : "within error, default kept";
    }

    /** With as many digits as the error needs to be one. */
    String text() {
      if (value == 0 && error == 0) {
        return "no difference";
      }
      int digits = DIGITS;
      while (digits < MOST_DIGITS && error > 0 && error < 0.95 * Math.pow(10, -digits)) {
        digits++;
      }
      String number = "." + digits + "f";
      return ("%+" + number + " ± %" + number).formatted(value, error);
    }
  }

  /** The mean of the labels so far. */
  private static final class Mean {
    private final boolean binary;
    private double sum;
    private long count;

    Mean(boolean binary) {
      this.binary = binary;
    }

    void add(double label) {
      sum += label;
      count++;
    }

    double value() {
      return binary ? (sum + 0.5) / (count + 1) : count == 0 ? 0 : sum / count;
    }
  }

  /** The scored labels of one task. */
  private final class Sample {
    private Place[] impressions = new Place[1024];
    private double[] said = new double[1024];
    private double[] label = new double[1024];
    private int count;
    private double sum;
    private double least = Double.POSITIVE_INFINITY;
    private double most = Double.NEGATIVE_INFINITY;

    void add(Place place, double prediction, double value) {
      if (count == impressions.length) {
        impressions = Arrays.copyOf(impressions, 2 * count);
        said = Arrays.copyOf(said, 2 * count);
        label = Arrays.copyOf(label, 2 * count);
      }
      impressions[count] = place;
      said[count] = prediction;
      label[count] = value;
      sum += value;
      least = Math.min(least, value);
      most = Math.max(most, value);
      count++;
    }

    /** Loss over that of the mean; NaN if all labels are the same, so that nothing can be told. */
    double share(Map<Place, double[]> byImpression, int j, boolean binary) {
      double mean = sum / count;
      double constant = 0;
      for (int i = 0; i < count; i++) {
        constant += loss(mean, label[i], binary, mean);
      }
      double share = 0;
      if (least >= most) {
        return Double.NaN;
      }
      for (int i = 0; i < count; i++) {
        double one = loss(said[i], label[i], binary, mean) / constant;
        byImpression.computeIfAbsent(impressions[i], place -> new double[judged.length])[j] += one;
        share += one;
      }
      return share;
    }

    private double loss(double prediction, double y, boolean binary, double mean) {
      if (!Double.isFinite(prediction)) {
        return Double.POSITIVE_INFINITY;
      }
      if (binary) {
        double p = Math.min(Math.max(prediction, SMALLEST), 1 - SMALLEST);
        return y > 0.5 ? -Math.log(p) : -Math.log1p(-p);
      }
      if (least < 0) {
        return (prediction - y) * (prediction - y);
      }
      double m = Math.max(prediction, mean * LEAST_AMOUNT);
      return m - y + (y > 0 ? y * Math.log(y / m) : 0);
    }

    void tell(int task, TaskQuality quality) {
      for (int i = 0; i < count; i++) {
        quality.add(task, said[i], label[i]);
      }
    }
  }

  /** Of each judged task, as a share of the best constant's. */
  Map<String, Double> byTask() {
    Map<String, Double> named = new LinkedHashMap<>();
    for (int j = 0; j < judged.length; j++) {
      named.put(tasks.get(judged[j]).name(), byTask[j]);
    }
    return named;
  }
}
