package dev.freshet.training.rows;

/**
 * How first-order weights learn, each with an accumulator of its own, whatever the embeddings'
 * optimiser. The gradient g is that of the sum of losses over a batch.
 *
 * <pre>
 * n += g * g;  w -= pace rate g / (1 + sqrt(n))
 * </pre>
 *
 * The step is that of per-coordinate online gradient descent (McMahan et al., "Ad click prediction:
 * a view from the trenches", KDD 2013, with beta 1). The pace is the task's, 0 to 1, and our own:
 * as long as few outcomes were seen, what tells their values from others is chance.
 *
 * @param rate 0 leaves weights and accumulators as they are
 */
public record FirstOrder(double rate) {

  /**
   * One step on the weights of a row.
   *
   * @param values of many rows
   * @param at where the weights are
   * @param squares where their accumulators are
   * @param gradient its mean over {@code examples}, of many rows
   * @param from where that of the weights starts
   * @param pace of each weight
   * @param count of weights
   * @return true if one changed
   */
  boolean learn(
      float[] values,
      int at,
      int squares,
      float[] gradient,
      int from,
      float examples,
      float[] pace,
      int count) {
    if (rate == 0) {
      return false;
    }
    boolean moved = false;
    for (int i = 0; i < count; i++) {
      float g = gradient[from + i] * examples;
      if (g != 0) {
        values[squares + i] += g * g;
        values[at + i] -= pace[i] * step(values[squares + i]) * g;
        moved = true;
      }
    }
    return moved;
  }

  private float step(float square) {
    return (float) (rate / (1 + Math.sqrt(square)));
  }
}
