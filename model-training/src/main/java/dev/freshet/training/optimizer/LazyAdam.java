package dev.freshet.training.optimizer;

import dev.freshet.core.pipeline.RowOptimizers;

/**
 * Adam (Kingma and Ba, ICLR 2015), lazily: a row that is not in a batch stays as it is, and so do
 * its moments, whose age is counted in steps of the row. Were it counted in steps of the model, as
 * sparse variants elsewhere do, the first step of a rare row would be three times the rate.
 *
 * <pre>
 * t += 1;  m = 0.9 m + 0.1 g;  v = 0.999 v + 0.001 g * g
 * w -= rate (m / (1 - 0.9^t)) / sqrt(start + v / (1 - 0.999^t))
 * </pre>
 *
 * A row has all m, then all v, then t. The start takes the place of Adam's epsilon, inside the root
 * and in squared gradients as for the others.
 */
record LazyAdam(int dim, double rate, double start) implements RowOptimizer {

  private static final float FIRST = 0.9f;
  private static final float SECOND = 0.999f;

  @Override
  public RowOptimizers kind() {
    return RowOptimizers.ADAM;
  }

  @Override
  public int slots() {
    return 2 * dim + 1;
  }

  @Override
  public boolean step(
      float[] values, int at, float[] slots, int slot, float[] gradient, int from, float examples) {
    boolean any = false;
    for (int i = 0; i < dim; i++) {
      any |= gradient[from + i] != 0;
    }
    if (!any) {
      return false;
    }
    int second = slot + dim;
    float age = ++slots[second + dim];
    double scale = rate / (1 - Math.pow(FIRST, age));
    double unbias = 1 / (1 - Math.pow(SECOND, age));
    for (int i = 0; i < dim; i++) {
      float g = gradient[from + i] * examples;
      float m = FIRST * slots[slot + i] + (1 - FIRST) * g;
      float v = SECOND * slots[second + i] + (1 - SECOND) * g * g;
      slots[slot + i] = m;
      slots[second + i] = v;
      values[at + i] -= (float) (scale * m / Math.sqrt(start + unbias * v));
    }
    return true;
  }
}
