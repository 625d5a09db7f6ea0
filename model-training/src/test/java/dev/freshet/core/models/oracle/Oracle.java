package dev.freshet.core.models.oracle;

import dev.freshet.core.models.AmountHead;
import dev.freshet.core.models.ModelShape;
import java.util.ArrayList;
import java.util.List;

/**
 * A model once more, in plain Java doubles, written from its equations and not from its script. Far
 * too slow for anything but being right.
 */
abstract class Oracle {

  final ModelShape shape;
  final AmountHead amount;
  final Weights p = new Weights();
  Batch batch;

  // A stopped gradient is a value that stays as it was at the first evaluation.
  private List<double[]> stopped;
  private int next;

  Oracle(ModelShape shape, AmountHead amount) {
    this.shape = shape;
    this.amount = amount;
  }

  /** Outputs of all tasks for every example: [example][task], one or three numbers. */
  abstract double[][][] outputs(boolean training);

  double[][] predictions() {
    double[][][] o = outputs(false);
    double[][] all = new double[o.length][shape.tasks()];
    for (int i = 0; i < o.length; i++) {
      for (int k = 0; k < all[i].length; k++) {
        all[i][k] = binary(k) ? Weights.sigmoid(o[i][k][0]) : amount(o[i][k]);
      }
    }
    return all;
  }

  /** Losses of the tasks, and after them what else is added to the total. */
  double[] losses() {
    return losses(outputs(true));
  }

  double[] losses(double[][][] o) {
    double[] all = new double[shape.tasks()];
    for (int k = 0; k < all.length; k++) {
      for (int i = 0; i < o.length; i++) {
        double y = batch.labels()[i][k];
        double loss =
            binary(k) ? crossEntropy(Weights.sigmoid(o[i][k][0]), y) : amountLoss(o[i][k], y);
        all[k] += batch.weights()[i][k] * loss / o.length;
      }
    }
    return all;
  }

  /** How the tasks' gradients on the rows become one. */
  double[] combine(double[][] perTask) {
    double[] sum = new double[perTask[0].length];
    for (double[] gradient : perTask) {
      for (int i = 0; i < sum.length; i++) {
        sum[i] += gradient[i];
      }
    }
    return sum;
  }

  /** A tower's output, first-order weights added to its log-odds if it has such. */
  double[] wide(int example, int task, double[] output) {
    double[] wide = output.clone();
    if (binary(task) || output.length == 3) {
      wide[0] += batch.firstOrder(example, task);
    }
    return wide;
  }

  boolean binary(int task) {
    return task < shape.binary();
  }

  static double crossEntropy(double q, double y) {
    return -y * Math.log(q) - (1 - y) * Math.log(1 - q);
  }

  double amountLoss(double[] o, double y) {
    double off = Math.abs(o[0] - y);
    return switch (amount.loss()) {
      case SQUARED -> off * off;
      case HUBER ->
          off <= amount.delta() ? off * off / 2 : amount.delta() * (off - amount.delta() / 2);
      case ZILN -> {
        double pays = Weights.sigmoid(o[0]);
        double sigma = deviation(o);
        double z = (Math.log(y) - o[1]) / sigma;
        double density = Math.exp(-z * z / 2) / (y * sigma * Math.sqrt(2 * Math.PI));
        yield y > 0 ? -Math.log(pays * density) : -Math.log(1 - pays);
      }
    };
  }

  double amount(double[] o) {
    if (amount.loss() != AmountHead.Loss.ZILN) {
      return o[0];
    }
    double sigma = deviation(o);
    return Weights.sigmoid(o[0]) * Math.exp(o[1] + sigma * sigma / 2);
  }

  private static double deviation(double[] o) {
    return Math.log(1 + Math.exp(o[2])) + 0.01;
  }

  /** From here on stopped values are those of the next evaluation. */
  final void freeze() {
    stopped = new ArrayList<>();
    next = 0;
  }

  /** Starts a new evaluation. */
  final void rewind() {
    next = 0;
  }

  final double[] stop(double[] value) {
    if (next == stopped.size()) {
      stopped.add(value.clone());
    }
    return stopped.get(next++);
  }

  /** Binary tasks' outputs as log-odds of each step given the one before: q_t, their product. */
  double[] chain(double[][] o, boolean stop) {
    double[] q = new double[shape.binary()];
    double before = 1;
    for (int t = 0; t < q.length; t++) {
      q[t] = (stop ? stop(new double[] {before})[0] : before) * Weights.sigmoid(o[t][0]);
      before = q[t];
    }
    return q;
  }

  /** As {@link #predictions} of steps' own log-odds. */
  double[][] chainPredictions(double[][][] o) {
    double[][] all = new double[o.length][shape.tasks()];
    for (int i = 0; i < o.length; i++) {
      double[] q = chain(o[i], false);
      for (int k = 0; k < all[i].length; k++) {
        all[i][k] = binary(k) ? q[k] : amount(o[i][k]);
      }
    }
    return all;
  }

  /** Loss over the entire space. */
  double[] chainLosses(double[][][] o, boolean stop) {
    double[] all = losses(o);
    for (int k = 0; k < shape.binary(); k++) {
      all[k] = 0;
    }
    for (int i = 0; i < o.length; i++) {
      double[] q = chain(o[i], stop);
      for (int k = 0; k < q.length; k++) {
        all[k] += batch.weights()[i][k] * crossEntropy(q[k], batch.labels()[i][k]) / o.length;
      }
    }
    return all;
  }

  /** Loss of each step on the rows where the one before happened. */
  double[] pathLosses(double[][][] o) {
    double[] all = losses(o);
    for (int k = 0; k < shape.binary(); k++) {
      all[k] = 0;
      for (int i = 0; i < o.length; i++) {
        double loss = crossEntropy(Weights.sigmoid(o[i][k][0]), batch.labels()[i][k]);
        all[k] += batch.reached()[i][k] * batch.weights()[i][k] * loss / o.length;
      }
    }
    return all;
  }
}
