package dev.freshet.training.optimizer;

import dev.freshet.core.pipeline.RowOptimizers;

/**
 * FTRL-Proximal (McMahan et al., "Ad click prediction: a view from the trenches", KDD 2013) for
 * every float of a row.
 *
 * <pre>
 * z += g - (sqrt(start + n + g * g) - sqrt(start + n)) w / rate;  n += g * g
 * w = 0 where |z| is l1 or less, else (sign(z) l1 - z) / (sqrt(start + n) / rate + l2)
 * </pre>
 *
 * A row has all z, then all n. Embeddings do not start at zero, or they would all stay there: the
 * first z of a weight is the one that gives the weight as it is. Without l1 and l2 this is {@link
 * ElementWiseAdagrad}.
 */
record FtrlProximal(int dim, double rate, double start, double l1, double l2)
    implements RowOptimizer {

  @Override
  public RowOptimizers kind() {
    return RowOptimizers.FTRL;
  }

  @Override
  public int slots() {
    return 2 * dim;
  }

  @Override
  public boolean step(
      float[] values, int at, float[] slots, int slot, float[] gradient, int from, float examples) {
    boolean moved = false;
    double faster = 1 / rate;
    for (int i = 0; i < dim; i++) {
      float g = gradient[from + i] * examples;
      if (g != 0) {
        int squares = slot + dim + i;
        float n = slots[squares];
        float w = values[at + i];
        double before = faster * Math.sqrt(start + n);
        double z = slots[slot + i];
        if (n == 0) {
          z = -w * (before + l2) - Math.signum(w) * l1;
        }
        n += g * g;
        double after = faster * Math.sqrt(start + n);
        z += g - (after - before) * w;
        slots[slot + i] = (float) z;
        slots[squares] = n;
        double pull = z > l1 ? l1 - z : z < -l1 ? -l1 - z : 0;
        values[at + i] = (float) (pull / (after + l2));
        moved = true;
      }
    }
    return moved;
  }
}
