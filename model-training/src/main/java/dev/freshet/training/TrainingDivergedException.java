package dev.freshet.training;

/**
 * A loss or a gradient is not finite, or a gradient is beyond its limit. The weights can no longer
 * be trusted: let the job restart from its last good checkpoint.
 */
public final class TrainingDivergedException extends RuntimeException {

  private final long step;
  private final String why;

  /**
   * @param step optimiser steps that were taken before
   * @param why in a few words, without which examples were learnt
   */
  public TrainingDivergedException(String message, long step, String why) {
    super(message);
    this.step = step;
    this.why = why;
  }

  /** Where it happened and why, in one line. */
  public String brief() {
    return "diverged at step " + step + ": " + why;
  }
}
