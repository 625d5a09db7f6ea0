package dev.freshet.core.models.oracle;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Dense weights by name, in double precision, and what can be done with a vector and a layer. */
final class Weights {

  final Map<String, double[]> values = new LinkedHashMap<>();

  double[] get(String name) {
    double[] found = values.get(name);
    if (found == null) {
      throw new IllegalArgumentException("no weight " + name + " among " + values.keySet());
    }
    return found;
  }

  /** {@code y_j = b_j + sum_i x_i W_ij}. */
  double[] linear(String name, double[] x) {
    double[] bias = get(name + ".bias");
    double[] weight = get(name + ".weight");
    double[] y = bias.clone();
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < y.length; j++) {
        y[j] += x[i] * weight[i * y.length + j];
      }
    }
    return y;
  }

  /** ReLU layers {@code name.0}, {@code name.1} and so on; every one's result. */
  List<double[]> layers(String name, double[] x, int depth) {
    List<double[]> all = new ArrayList<>();
    double[] h = x;
    for (int i = 0; i < depth; i++) {
      h = relu(linear(name + "." + i, h));
      all.add(h);
    }
    return all;
  }

  double[] mlp(String name, double[] x, int depth) {
    return depth == 0 ? x : layers(name, x, depth).get(depth - 1);
  }

  /** What stands on top of a tower. */
  double[] tower(String name, double[] x, int depth) {
    return linear(name + ".out", mlp(name, x, depth));
  }

  /** Attention over a list: softmax of {@code <Q, K> / sqrt(H)}, applied to V. */
  double[] attend(String name, List<double[]> list) {
    double[] scores = new double[list.size()];
    List<double[]> values = new ArrayList<>();
    for (int i = 0; i < scores.length; i++) {
      double[] v = linear(name + ".value", list.get(i));
      double[] q = linear(name + ".query", list.get(i));
      double[] k = linear(name + ".key", list.get(i));
      values.add(v);
      scores[i] = dot(q, k) / Math.sqrt(v.length);
    }
    return mixture(softmax(scores), values);
  }

  static double[] mixture(double[] shares, List<double[]> vectors) {
    double[] sum = new double[vectors.get(0).length];
    for (int i = 0; i < shares.length; i++) {
      for (int j = 0; j < sum.length; j++) {
        sum[j] += shares[i] * vectors.get(i)[j];
      }
    }
    return sum;
  }

  static double[] softmax(double[] x) {
    double total = 0;
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = Math.exp(x[i]);
      total += y[i];
    }
    for (int i = 0; i < x.length; i++) {
      y[i] /= total;
    }
    return y;
  }

  static double[] relu(double[] x) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = Math.max(0, x[i]);
    }
    return y;
  }

  static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  static double[] concat(double[]... parts) {
    int size = 0;
    for (double[] part : parts) {
      size += part.length;
    }
    double[] all = new double[size];
    int at = 0;
    for (double[] part : parts) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return all;
  }
}
