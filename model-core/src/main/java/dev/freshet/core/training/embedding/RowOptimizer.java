package dev.freshet.core.training.embedding;

/**
 * How rows learn. A gradient g is that of the sum of losses over a batch, so a step does not depend
 * on how many examples a batch has, and neither does what the accumulators start with.
 *
 * <pre>
 * embedding    a += mean(g * g);  row -= rate g / sqrt(start + a)         (Adagrad, row by row)
 * first order  n += g * g;        w -= firstRate g / (1 + sqrt(fields n))
 * </pre>
 *
 * <p>Without a start the first step of a row is as large as any, whatever its gradient says; where
 * outcomes are rare nearly all first gradients say next to nothing. The second line is the step of
 * per-coordinate online gradient descent (McMahan et al., "Ad click prediction: a view from the
 * trenches", KDD 2013, with beta 1), but that each gradient counts {@code fields} times: so many
 * weights move an example's output together. The count is our reading; the paper leaves it to a
 * tuned rate.
 *
 * @param rate of embeddings
 * @param start of their accumulators, above 0
 * @param firstRate of first-order weights; 0 leaves them at zero
 * @param fields first-order weights that an example's output is the sum of
 */
public record RowOptimizer(double rate, double start, double firstRate, int fields) {

  float step(float square) {
    return (float) (rate / Math.sqrt(start + square));
  }

  float firstStep(float square) {
    return (float) (firstRate / (1 + Math.sqrt(fields * square)));
  }
}
