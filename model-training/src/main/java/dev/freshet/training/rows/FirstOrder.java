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

  float step(float square) {
    return (float) (rate / (1 + Math.sqrt(square)));
  }
}
