package dev.freshet.experiments;

import static java.util.Objects.requireNonNull;

import dev.freshet.experiments.TunedPipeline.Candidate;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A candidate that was tried.
 *
 * @param judged its score; null if it diverged
 * @param fault why it came to nothing; null if it did not
 * @param skipped the batches of it that were left out, in words; null for none
 */
record ScoredCandidate(
    Candidate candidate,
    @Nullable TuningScore judged,
    @Nullable String fault,
    @Nullable String skipped,
    double seconds) {

  /** Of one that was learnt to its end. */
  TuningScore score() {
    return requireNonNull(judged, "it diverged");
  }

  double total() {
    return fault == null ? score().total() : Double.POSITIVE_INFINITY;
  }

  boolean finished() {
    return Double.isFinite(total());
  }

  /** True if it is better than another beyond the error of their difference. */
  boolean pays(ScoredCandidate than) {
    return !than.finished() || score().less(than.score()).pays();
  }

  /** Of which tasks its score is above 1; nothing if of none. */
  String worse() {
    String names =
        score().byTask().entrySet().stream()
            .filter(task -> task.getValue() > 1)
            .map(Map.Entry::getKey)
            .collect(Collectors.joining(", "));
    return names.isEmpty() ? "" : "; for " + names + " it is worse than knowing only the mean";
  }
}
