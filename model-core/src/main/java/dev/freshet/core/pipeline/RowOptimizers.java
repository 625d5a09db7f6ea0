package dev.freshet.core.pipeline;

import dev.freshet.core.settings.EnumNames;

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
    return EnumNames.of(this);
  }
}
