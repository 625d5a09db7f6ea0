package dev.freshet.training.optimizer;

import dev.freshet.core.pipeline.RowOptimizers;

/**
 * Adagrad (Duchi et al., JMLR 2011) with an accumulator for every float of a row.
 *
 * <pre>
 * a += g * g;  w -= rate g / sqrt(start + a)
 * </pre>
 */
record ElementWiseAdagrad(int dim, double rate, double start) implements RowOptimizer {

  @Override
  public RowOptimizers kind() {
    return RowOptimizers.ADAGRAD_ELEMENTWISE;
  }

  @Override
  public int slots() {
    return dim;
  }

  @Override
  public boolean step(
      float[] values, int at, float[] slots, int slot, float[] gradient, int from, float examples) {
    boolean moved = false;
    for (int i = 0; i < dim; i++) {
      float g = gradient[from + i] * examples;
      if (g != 0) {
        slots[slot + i] += g * g;
        values[at + i] -= (float) (rate / Math.sqrt(start + slots[slot + i])) * g;
        moved = true;
      }
    }
    return moved;
  }
}
