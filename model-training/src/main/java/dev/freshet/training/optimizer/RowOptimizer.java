package dev.freshet.training.optimizer;

import dev.freshet.core.pipeline.RowOptimizers;
import dev.freshet.core.pipeline.TrainingSettings;

/**
 * How the embeddings of one size learn. Whatever it remembers of a row, its slots, lies beside the
 * row: zeros when the row is new, part of every checkpoint, gone with the row. Has no state of its
 * own.
 */
public interface RowOptimizer {

  /**
   * The one that is asked for.
   *
   * @param dim size of an embedding
   */
  static RowOptimizer of(TrainingSettings.Embeddings settings, int dim) {
    double rate = settings.learningRate();
    double start = settings.start();
    return switch (settings.optimizer()) {
      case ADAGRAD -> new RowWiseAdagrad(dim, rate, start);
      case ADAGRAD_ELEMENTWISE -> new ElementWiseAdagrad(dim, rate, start);
      case ADAM -> new LazyAdam(dim, rate, start);
      case FTRL -> new FtrlProximal(dim, rate, start, settings.l1(), settings.ridge());
    };
  }

  /** Which one it is: slots are of no use to another. */
  RowOptimizers kind();

  /** How many floats it keeps for a row. */
  int slots();

  /**
   * One step on a row. The gradient is that of the sum of losses over a batch, so a step does not
   * depend on how many examples a batch has, and neither does what the slots hold. A gradient that
   * is zero as a whole leaves row and slots untouched, as if the row were not in the batch.
   *
   * @param values of many rows
   * @param at where the row starts
   * @param slots of many rows
   * @param slot where those of the row start
   * @param gradient its mean over {@code examples}, of many rows
   * @param from where that of the row starts
   * @return true if the row changed
   */
  boolean step(
      float[] values, int at, float[] slots, int slot, float[] gradient, int from, float examples);
}
