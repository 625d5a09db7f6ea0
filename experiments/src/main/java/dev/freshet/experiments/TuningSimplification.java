package dev.freshet.experiments;

import static java.util.Objects.requireNonNull;

import dev.freshet.experiments.TunedPipeline.Candidate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Takes back each choice of the best candidate that does not pay. */
final class TuningSimplification {

  private final TunedPipeline file;
  private final TuningTrials trials;
  private final double share;
  private final List<TuningLabels> labels;
  private final TuningReport report;
  private ScoredCandidate best;

  /**
   * @param share of the impressions on which candidates are tried
   * @param labels by which they are judged
   */
  TuningSimplification(
      TunedPipeline file,
      TuningTrials trials,
      double share,
      List<TuningLabels> labels,
      TuningReport report,
      ScoredCandidate best) {
    this.file = file;
    this.trials = trials;
    this.share = share;
    this.labels = labels;
    this.report = report;
    this.best = best;
  }

  /** The candidate with what was taken back so far. */
  ScoredCandidate best() {
    return best;
  }

  /**
   * Goes on until everything that is left pays.
   *
   * @throws Exception if events cannot be read, or a trial fails otherwise than by diverging
   */
  void run() throws Exception {
    int pass = 0;
    for (Map<Integer, Candidate> without = reverted(); !without.isEmpty(); without = reverted()) {
      pass++;
      ScoredCandidate base = best;
      String round =
          "Pass %d, each choice of the best taken back alone, ± error of the difference to the best"
                  .formatted(pass)
              + ", %s; above 0 is worse without it".formatted(TuningScore.text(base.total()));
      run(List.copyOf(without.values()), round, base);
      List<Integer> unpaid = new ArrayList<>();
      for (Map.Entry<Integer, Candidate> one : without.entrySet()) {
        if (!best.pays(tried(one.getValue()))) {
          unpaid.add(one.getKey());
        }
      }
      if (unpaid.isEmpty()) {
        return;
      }
      unpaid.sort(Comparator.comparingDouble(i -> tried(without(i)).total()));
      ScoredCandidate least = tried(without(unpaid.get(0)));
      Candidate simple = best.candidate();
      for (int choice : unpaid) {
        simple = simple.with(choice, 0);
      }
      if (unpaid.size() > 1 && file.valid(simple)) {
        String together = "Pass %d, all that do not pay taken back at once".formatted(pass);
        run(List.of(simple), together, base);
      }
      ScoredCandidate tried = trials.whole(simple);
      if (tried == null || best.pays(tried) || least.pays(tried)) {
        // Some pay without others: what one does the other does too, or one spoils what another
        // does.
        unpaid = unpaid.subList(0, 1);
        simple = least.candidate();
      }
      report.putBack(
          "Taken back in pass %d, each alone from the best then, score %s:"
              .formatted(pass, TuningScore.text(best.total())),
          best,
          unpaid);
      best = tried(simple);
    }
  }

  private ScoredCandidate tried(Candidate candidate) {
    return requireNonNull(trials.whole(candidate), "it was tried");
  }

  private void run(List<Candidate> candidates, String heading, ScoredCandidate base)
      throws Exception {
    trials.run(candidates, share, labels, heading, one -> without(base, one));
  }

  /** The choices of another one that a candidate takes back, and the difference that makes. */
  private String without(ScoredCandidate base, ScoredCandidate of) {
    String names =
        IntStream.range(0, file.choices().size())
            .filter(i -> !base.candidate().values().get(i).equals(of.candidate().values().get(i)))
            .mapToObj(i -> file.choices().get(i).name())
            .collect(Collectors.joining(", "));
    return of.finished()
        ? "without %s: %s (%s)"
            .formatted(names, TuningScore.text(of.total()), of.score().less(base.score()).text())
        : "without " + names;
  }

  private Candidate without(int choice) {
    return best.candidate().with(choice, 0);
  }

  /** Each choice of the best that is not as it was, and the candidate with it as it was. */
  private Map<Integer, Candidate> reverted() {
    Map<Integer, Candidate> reverted = new LinkedHashMap<>();
    for (int i = 0; i < file.choices().size(); i++) {
      if (best.candidate().values().get(i) > 0 && file.valid(without(i))) {
        reverted.put(i, without(i));
      }
    }
    return reverted;
  }
}
