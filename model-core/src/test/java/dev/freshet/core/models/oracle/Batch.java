package dev.freshet.core.models.oracle;

import java.util.Arrays;

/**
 * What a model is handed in one call.
 *
 * @param rows [table][row][embedding, then first-order weights]
 * @param sets of tables
 * @param first number of first-order weights in a row
 * @param bags [table][example][field of the table][row numbers]
 * @param shares [table][example][field of the table][what a row of the bag is multiplied by]
 * @param noise [example][number]
 */
record Batch(
    double[][][] rows,
    int sets,
    int first,
    int[][][][] bags,
    double[][][][] shares,
    double[][] labels,
    double[][] weights,
    double[][] reached,
    long[] same,
    double[][] noise,
    double tau) {

  int size() {
    return same.length;
  }

  /** Concatenated embeddings of an example: each field's sum over its rows, zero for none. */
  double[] embedded(int example) {
    double[] all = {};
    for (int t = 0; t < rows.length; t++) {
      int dim = rows[t][0].length - first;
      for (int f = 0; f < bags[t][example].length; f++) {
        double[] sum = new double[dim];
        for (int i = 0; i < bags[t][example][f].length; i++) {
          for (int d = 0; d < dim; d++) {
            sum[d] += rows[t][bags[t][example][f][i]][d] * shares[t][example][f][i];
          }
        }
        all = Weights.concat(all, sum);
      }
    }
    return all;
  }

  /** Sum of the first-order weights of an example's fields, each the sum over its rows. */
  double firstOrder(int example, int task) {
    int per = rows.length / sets;
    int from = sets > 1 ? task * per : 0;
    double sum = 0;
    for (int t = from; t < from + per; t++) {
      int column = rows[t][0].length - first + (sets > 1 ? 0 : task);
      for (int f = 0; f < bags[t][example].length; f++) {
        for (int i = 0; i < bags[t][example][f].length; i++) {
          sum += rows[t][bags[t][example][f][i]][column] * shares[t][example][f][i];
        }
      }
    }
    return sum;
  }

  /** Numbers of all rows, one after the other, but for the first-order weights: these are 0. */
  double[] embeddings(double[] all) {
    double[] only = all.clone();
    int at = 0;
    for (double[][] table : rows) {
      for (double[] row : table) {
        at += row.length;
        Arrays.fill(only, at - first, at, 0);
      }
    }
    return only;
  }
}
