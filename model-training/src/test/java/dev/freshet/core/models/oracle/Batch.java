package dev.freshet.core.models.oracle;

import dev.freshet.core.features.FeatureSchema;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a model is handed in one call.
 *
 * @param rows [table][row][embedding, then first-order weights]
 * @param sets of tables
 * @param first number of first-order weights in a row
 * @param bags [table][example][field of the table][row numbers]
 * @param shares [table][example][field of the table][what a row of the bag is multiplied by]
 * @param attention which fields have it; their shares are of what they would be without
 * @param noise [example][number]
 */
record Batch(
    double[][][] rows,
    int sets,
    int first,
    int[][][][] bags,
    double[][][][] shares,
    List<FeatureSchema.Attention> attention,
    double[][] labels,
    double[][] weights,
    double[][] reached,
    long[] same,
    double[][] noise,
    double tau) {

  int size() {
    return same.length;
  }

  /** The row numbers of a table, bag by bag. */
  long[] indices(int table) {
    return bagsOf(table).flatMapToInt(Arrays::stream).asLongStream().toArray();
  }

  /**
   * Where the bags of a table begin among its row numbers; nothing where each is one row.
   *
   * @param weighted true if rows are multiplied by shares
   */
  long[] starts(int table, boolean weighted) {
    int[] sizes = bagsOf(table).mapToInt(bag -> bag.length).toArray();
    if (!weighted && Arrays.stream(sizes).allMatch(size -> size == 1)) {
      return new long[0];
    }
    long[] starts = new long[sizes.length];
    for (int i = 1; i < starts.length; i++) {
      starts[i] = starts[i - 1] + sizes[i - 1];
    }
    return starts;
  }

  private Stream<int[]> bagsOf(int table) {
    return Stream.of(bags[table]).flatMap(Stream::of);
  }

  /**
   * Concatenated embeddings of an example: each field's sum over its rows, zero for none.
   *
   * @param p weights of the units of attention
   */
  double[] embedded(int example, Weights p) {
    double[] all = {};
    for (int t = 0; t < rows.length; t++) {
      int dim = rows[t][0].length - first;
      for (int f = 0; f < bags[t][example].length; f++) {
        double[] sum = new double[dim];
        double[] counts = counts(t, example, f, dim, p);
        for (int i = 0; i < bags[t][example][f].length; i++) {
          for (int d = 0; d < dim; d++) {
            sum[d] += rows[t][bags[t][example][f][i]][d] * counts[i];
          }
        }
        all = Weights.concat(all, sum);
      }
    }
    return all;
  }

  /** What the rows of a bag are multiplied by. */
  private double[] counts(int table, int example, int field, int dim, Weights p) {
    double[] counts = shares[table][example][field].clone();
    int per = rows.length / sets;
    for (FeatureSchema.Attention unit : attention) {
      if (unit.group() == table % per && unit.place() == field) {
        double[] target = scaled(row(table, example, unit.target(), 0, dim));
        String name = "attention" + table / per + "." + unit.field();
        for (int i = 0; i < counts.length; i++) {
          double[] row = scaled(row(table, example, field, i, dim));
          double[] product = new double[dim];
          Arrays.setAll(product, d -> row[d] * target[d]);
          double score = p.tower(name, Weights.concat(row, target, product), 1)[0];
          counts[i] *= Math.exp(5 * Math.tanh(score));
        }
        double sum = Arrays.stream(counts).sum();
        Arrays.setAll(counts, i -> counts[i] / sum);
      }
    }
    return counts;
  }

  /** The embedding of a row of a bag. */
  private double[] row(int table, int example, int field, int i, int dim) {
    return Arrays.copyOf(rows[table][bags[table][example][field][i]], dim);
  }

  private static double[] scaled(double[] x) {
    double size = Math.sqrt(Weights.dot(x, x) / x.length + 1e-4);
    return Arrays.stream(x).map(v -> v / size).toArray();
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
