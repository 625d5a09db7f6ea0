package dev.freshet.training.evaluation;

import java.util.Arrays;
import java.util.Comparator;

/** Metrics that ask for the order of predictions; NaN where one is not defined. */
final class Ranks {

  private static final int DECILES = 10;

  private Ranks() {}

  /**
   * Normalised Gini: the area that the predicted ranking gains over the area that the perfect one
   * gains; of the first {@code size} pairs.
   */
  static double gini(double[] predictions, double[] labels, int size) {
    double perfect = gain(labels, labels, size);
    return perfect > 0 ? gain(predictions, labels, size) / perfect : Double.NaN;
  }

  /** Rank correlation, ties share their mean rank; of the first {@code size} pairs. */
  static double spearman(double[] predictions, double[] labels, int size) {
    return correlation(ranks(predictions, size), ranks(labels, size));
  }

  /**
   * Area between the cumulative share of label amount, highest score first, and the diagonal. Equal
   * scores share their amount evenly, so that a constant prediction gains nothing.
   */
  private static double gain(double[] scores, double[] labels, int size) {
    Integer[] order = order(scores, size);
    double total = 0;
    for (int i = 0; i < size; i++) {
      total += labels[i];
    }
    if (!(total > 0)) {
      return 0;
    }
    double cumulative = 0;
    double area = 0;
    int end = size;
    while (end > 0) {
      int start = end - 1;
      while (start > 0 && scores[order[start - 1]] == scores[order[start]]) {
        start--;
      }
      double amount = 0;
      for (int i = start; i < end; i++) {
        amount += labels[order[i]];
      }
      int ties = end - start;
      for (int i = 1; i <= ties; i++) {
        area += (cumulative + amount * i / ties) / total;
      }
      cumulative += amount;
      end = start;
    }
    return area / size - (size + 1) / (2.0 * size);
  }

  /**
   * Deciles by prediction: mean of |mean prediction - mean label| / mean label, where that is > 0.
   */
  static double decileMape(double[] predictions, double[] labels, int size) {
    Integer[] order = order(predictions, size);
    double sum = 0;
    int counted = 0;
    for (int decile = 0; decile < DECILES; decile++) {
      double predicted = 0;
      double label = 0;
      for (int i = size * decile / DECILES; i < size * (decile + 1) / DECILES; i++) {
        predicted += predictions[order[i]];
        label += labels[order[i]];
      }
      if (label > 0) {
        sum += Math.abs(predicted - label) / label;
        counted++;
      }
    }
    return counted > 0 ? sum / counted : Double.NaN;
  }

  private static Integer[] order(double[] scores, int size) {
    Integer[] order = new Integer[size];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, Comparator.comparingDouble(i -> scores[i]));
    return order;
  }

  private static double[] ranks(double[] scores, int size) {
    Integer[] order = order(scores, size);
    double[] ranks = new double[size];
    int start = 0;
    while (start < size) {
      int end = start + 1;
      while (end < size && scores[order[end]] == scores[order[start]]) {
        end++;
      }
      for (int i = start; i < end; i++) {
        ranks[order[i]] = (start + end - 1) / 2.0;
      }
      start = end;
    }
    return ranks;
  }

  private static double correlation(double[] a, double[] b) {
    double mean = (a.length - 1) / 2.0;
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      ab += (a[i] - mean) * (b[i] - mean);
      aa += (a[i] - mean) * (a[i] - mean);
      bb += (b[i] - mean) * (b[i] - mean);
    }
    return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : Double.NaN;
  }
}
