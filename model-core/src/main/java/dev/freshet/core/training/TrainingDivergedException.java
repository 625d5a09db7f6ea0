package dev.freshet.core.training;

/**
 * A loss or a gradient is not finite, or a gradient is beyond its limit. The weights can no longer
 * be trusted: let the job restart from its last good checkpoint.
 */
public final class TrainingDivergedException extends RuntimeException {
  public TrainingDivergedException(String message) {
    super(message);
  }
}
