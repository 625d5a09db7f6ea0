package dev.freshet.core.training.embedding;

/**
 * How first-order weights learn, each with an accumulator of its own, whatever the embeddings'
 * optimiser. The gradient g is that of the sum of losses over a batch.
 *
 * <pre>
 * n += g * g;  w -= rate g / (1 + sqrt(fields n))
 * </pre>
 *
 * The step is that of per-coordinate online gradient descent (McMahan et al., "Ad click prediction:
 * a view from the trenches", KDD 2013, with beta 1), but that each gradient counts {@code fields}
 * times: so many weights move an example's output together. The count is our reading; the paper
 * leaves it to a tuned rate.
 *
 * @param rate 0 leaves weights and accumulators as they are
 * @param fields first-order weights that an example's output is the sum of
 */
public record FirstOrder(double rate, int fields) {

  float step(float square) {
    return (float) (rate / (1 + Math.sqrt(fields * square)));
  }
}
