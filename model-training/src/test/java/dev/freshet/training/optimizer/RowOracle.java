package dev.freshet.training.optimizer;

import dev.freshet.core.pipeline.RowOptimizers;
import java.util.ArrayList;
import java.util.List;

/**
 * The definitions of the row optimisers in doubles: every step is worked out from all gradients
 * that there were, and FTRL's as the minimum that it is.
 */
final class RowOracle {

  private final RowOptimizers kind;
  private final double rate;
  private final double start;
  private final double l1;
  private final double l2;
  private final List<double[]> gradients = new ArrayList<>();

  /** The weights that each of the gradients was taken at. */
  private final List<double[]> points = new ArrayList<>();

  private double[] weights;

  RowOracle(RowOptimizers kind, double rate, double start, double l1, double l2) {
    this.kind = kind;
    this.rate = rate;
    this.start = start;
    this.l1 = l1;
    this.l2 = l2;
  }

  void start(float[] values, int at, int dim) {
    weights = new double[dim];
    for (int i = 0; i < dim; i++) {
      weights[i] = values[at + i];
    }
  }

  /** The weights after one more gradient, which is a mean over so many examples. */
  double[] step(float[] gradient, int from, int examples) {
    double[] g = new double[weights.length];
    boolean any = false;
    for (int i = 0; i < g.length; i++) {
      g[i] = (double) gradient[from + i] * examples;
      any |= g[i] != 0;
    }
    if (!any) {
      return weights;
    }
    gradients.add(g);
    points.add(weights);
    double[] next = weights.clone();
    for (int i = 0; i < g.length; i++) {
      next[i] =
          switch (kind) {
            case ADAGRAD -> weights[i] - rate * g[i] / Math.sqrt(start + rowSquares());
            case ADAGRAD_ELEMENTWISE ->
                weights[i] - rate * g[i] / Math.sqrt(start + squares(i, gradients.size()));
            case ADAM -> weights[i] - rate * mean(i) / Math.sqrt(start + meanSquare(i));
            case FTRL -> minimum(i);
          };
    }
    weights = next;
    return next;
  }

  private double rowSquares() {
    double sum = 0;
    for (int i = 0; i < weights.length; i++) {
      sum += squares(i, gradients.size());
    }
    return sum / weights.length;
  }

  private double squares(int i, int steps) {
    return gradients.subList(0, steps).stream().mapToDouble(g -> g[i] * g[i]).sum();
  }

  /** Weighted mean of the gradients; each one's weight is nine tenths of the next one's. */
  private double mean(int i) {
    double sum = 0;
    double all = 0;
    double weight = 1;
    for (int s = gradients.size() - 1; s >= 0; s--) {
      sum += weight * gradients.get(s)[i];
      all += weight;
      weight *= 0.9;
    }
    return sum / all;
  }

  private double meanSquare(int i) {
    double sum = 0;
    double all = 0;
    double weight = 1;
    for (int s = gradients.size() - 1; s >= 0; s--) {
      sum += weight * gradients.get(s)[i] * gradients.get(s)[i];
      all += weight;
      weight *= 0.999;
    }
    return sum / all;
  }

  /**
   * Where {@code sum of g w + l1 |w| + l2 w^2 / 2 + sum of sigma (w - point)^2 / 2} is least; a
   * first sigma and a first gradient make the weight that it starts with the first minimum.
   */
  private double minimum(int i) {
    double first = points.get(0)[i];
    double slope = -(l2 * first + l1 * Math.signum(first));
    double strength = Math.sqrt(start) / rate;
    double pulled = strength * first;
    for (int s = 0; s < gradients.size(); s++) {
      slope += gradients.get(s)[i];
      double sigma =
          (Math.sqrt(start + squares(i, s + 1)) - Math.sqrt(start + squares(i, s))) / rate;
      strength += sigma;
      pulled += sigma * points.get(s)[i];
    }
    double low = -1e3;
    double high = 1e3;
    for (int halving = 0; halving < 200; halving++) {
      double w = (low + high) / 2;
      double derivative = slope + l2 * w + strength * w - pulled;
      if (Math.abs(w) < 1e-9 && Math.abs(slope - pulled) <= l1) {
        return 0;
      }
      if (derivative + l1 * Math.signum(w) > 0) {
        high = w;
      } else {
        low = w;
      }
    }
    return (low + high) / 2;
  }
}
