package dev.freshet.training.optimizer;

import dev.freshet.core.pipeline.RowOptimizers;

/**
 * Adagrad (Duchi et al., JMLR 2011) with one accumulator for a whole row, which costs a float.
 *
 * <pre>
 * a += mean(g * g);  row -= rate g / sqrt(start + a)
 * </pre>
 *
 * Without a start the first step of a row is as large as any, whatever its gradient says; where
 * outcomes are rare nearly all first gradients say next to nothing.
 */
record RowWiseAdagrad(int dim, double rate, double start) implements RowOptimizer {

  @Override
  public RowOptimizers kind() {
    return RowOptimizers.ADAGRAD;
  }

  @Override
  public int slots() {
    return 1;
  }

  @Override
  public boolean step(
      float[] values, int at, float[] slots, int slot, float[] gradient, int from, float examples) {
    float sum = 0;
    for (int i = 0; i < dim; i++) {
      float g = gradient[from + i] * examples;
      sum += g * g;
    }
    if (sum == 0) {
      return false;
    }
    slots[slot] += sum / dim;
    float scale = (float) (rate / Math.sqrt(start + slots[slot])) * examples;
    for (int i = 0; i < dim; i++) {
      values[at + i] -= scale * gradient[from + i];
    }
    return true;
  }
}
