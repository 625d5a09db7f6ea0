package dev.freshet.core.models.oracle;

/**
 * What a model is handed in one call.
 *
 * @param rows [table][row][dim]
 * @param bags [table][example][field of the table][row numbers]
 * @param noise [example][number]
 */
record Batch(
    double[][][] rows,
    int[][][][] bags,
    double[][] labels,
    double[][] weights,
    double[][] reached,
    long[] same,
    double[][] noise,
    double tau) {

  int size() {
    return same.length;
  }

  /** Concatenated embeddings of an example: each field's mean over its rows, zero for none. */
  double[] embedded(int example) {
    double[] all = {};
    for (int t = 0; t < rows.length; t++) {
      int dim = rows[t][0].length;
      for (int[] bag : bags[t][example]) {
        double[] mean = new double[dim];
        for (int row : bag) {
          for (int d = 0; d < dim; d++) {
            mean[d] += rows[t][row][d] / bag.length;
          }
        }
        all = Weights.concat(all, mean);
      }
    }
    return all;
  }
}
