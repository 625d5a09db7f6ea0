package dev.freshet.core.training.embedding;

import dev.freshet.core.settings.RecordBinder;

/** The menu of optimisers of embedding rows. Their names are in checkpoints. */
public enum RowOptimizers {
  /** Row by row. */
  ADAGRAD(0.05),
  ADAGRAD_ELEMENTWISE(0.1),
  ADAM(0.02),
  FTRL(0.1);

  private final double rate;

  RowOptimizers(double rate) {
    this.rate = rate;
  }

  /** The learning rate where none is given. */
  public double rate() {
    return rate;
  }

  /** As in the pipeline file. */
  @Override
  public String toString() {
    return RecordBinder.written(this);
  }

  /**
   * One for embeddings of a size.
   *
   * @param start added to what is known of squared gradients of one example, above 0
   * @param l1 of {@link #FTRL} alone, as is {@code l2}
   */
  public RowOptimizer of(int dim, double rate, double start, double l1, double l2) {
    return switch (this) {
      case ADAGRAD -> new RowWiseAdagrad(dim, rate, start);
      case ADAGRAD_ELEMENTWISE -> new ElementWiseAdagrad(dim, rate, start);
      case ADAM -> new LazyAdam(dim, rate, start);
      case FTRL -> new FtrlProximal(dim, rate, start, l1, l2);
    };
  }
}
