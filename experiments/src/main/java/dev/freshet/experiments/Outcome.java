package dev.freshet.experiments;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Result of one model with one seed.
 *
 * @param metrics by {@code task.metric}; none if it diverged
 * @param seconds that learning took
 * @param diverged where and why; null if it did not
 * @param skipped how many batches were left out, and why the first; null if all were learnt
 */
record Outcome(
    String model,
    long seed,
    Map<String, Double> metrics,
    double seconds,
    @Nullable String diverged,
    @Nullable String skipped) {

  static Outcome diverged(String model, long seed, double seconds, String why) {
    return new Outcome(model, seed, Map.of(), seconds, why, null);
  }
}
