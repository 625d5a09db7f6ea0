package dev.freshet.experiments;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.labels.Task;
import dev.freshet.experiments.TunedPipeline.Candidate;
import dev.freshet.experiments.TuningScore.Difference;
import dev.freshet.training.evaluation.QualityMetric;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Report of a tuning in words: its result, and what each choice brought. */
final class TuningReport {

  /** Columns of a choice, so that a verdict fits beside it. */
  private static final int CHOICE = 32;

  /**
   * Choices that were made no more.
   *
   * @param base the candidate that their differences are to
   * @param brings by change
   */
  private record PutBack(String base, Map<String, Brings> brings) {}

  /**
   * Gain of a change.
   *
   * @param mean of the judged tasks
   * @param verdict null if it was made
   */
  private record Brings(
      Difference mean, Map<String, Difference> byTask, @Nullable String verdict) {}

  private final TunedPipeline file;
  private final Function<Candidate, ScoredCandidate> whole;
  private final List<PutBack> putBack = new ArrayList<>();

  /**
   * @param whole result of a candidate on all of the impressions; null if it was not tried
   */
  TuningReport(TunedPipeline file, Function<Candidate, ScoredCandidate> whole) {
    this.file = file;
    this.whole = whole;
  }

  /** Choices that are taken back, as each of them alone compares with the best. */
  void putBack(String base, ScoredCandidate best, List<Integer> choices) {
    Map<String, Brings> brings = new LinkedHashMap<>();
    for (int choice : choices) {
      ScoredCandidate without = whole.apply(best.candidate().with(choice, 0));
      brings.put(change(best, choice), brings(best, without, true));
    }
    putBack.add(new PutBack(base, brings));
  }

  /** All choices of the best, taken back for the file as it is. */
  void putAllBack(String base, ScoredCandidate best, ScoredCandidate asItIs) {
    List<String> changes = changed(best).stream().map(choice -> change(best, choice)).toList();
    putBack.add(new PutBack(base, Map.of(String.join(", ", changes), brings(best, asItIs, true))));
  }

  private static Brings brings(ScoredCandidate with, ScoredCandidate without, boolean kept) {
    Difference mean = with.score().less(without.score());
    Map<String, Difference> byTask = with.score().lessByTask(without.score());
    return new Brings(mean, byTask.size() > 1 ? byTask : Map.of(), kept ? mean.kept() : null);
  }

  /** The choices of this one that are not as they were. */
  List<Integer> changed(ScoredCandidate best) {
    return IntStream.range(0, file.choices().size())
        .filter(i -> best.candidate().values().get(i) > 0)
        .boxed()
        .toList();
  }

  private String change(ScoredCandidate best, int choice) {
    int value = best.candidate().values().get(choice);
    String name = file.choices().get(choice).name();
    return name + ": " + file.label(choice, 0) + " -> " + file.label(choice, value);
  }

  /**
   * The result in words: the choices, what each brought, and figures before and after.
   *
   * @param best the result
   * @param asItIs the file as it is, on the same impressions
   * @param labels of the judged tasks, in what both were judged by
   */
  List<String> lines(ScoredCandidate best, ScoredCandidate asItIs, List<TuningLabels> labels) {
    List<String> lines = new ArrayList<>();
    lines.addAll(
        TuningScreen.wrap(
            "Score %s%s".formatted(TuningScore.text(best.total()), best.worse()), "  "));
    lines.addAll(new TuningTable(labels).legend());
    boolean same = best.candidate().asItIs();
    if (same && putBack.isEmpty()) {
      lines.add("Nothing that was tried is better than the file as it is.");
    } else if (same) {
      lines.add("The file as it is: no choice is a gain beyond two standard errors.");
    } else if (asItIs.finished()) {
      lines.add(
          "As it is %s; the difference is %s"
              .formatted(
                  TuningScore.text(asItIs.total()), best.score().less(asItIs.score()).text()));
      String worse = asItIs.worse();
      if (!worse.isEmpty()) {
        lines.addAll(TuningScreen.wrap("As it is" + worse.substring(1), "  "));
      }
    } else {
      lines.addAll(TuningScreen.wrap("As it is, the file " + asItIs.fault(), "  "));
    }
    if (!same || !putBack.isEmpty()) {
      lines.add("");
      lines.addAll(choice("choice", "what it brings to the score, ± standard error"));
    }
    if (!same) {
      lines.addAll(
          TuningScreen.wrap(
              "Kept, each beside the others here, score %s:"
                  .formatted(TuningScore.text(best.total())),
              "  "));
      changed(best).forEach(choice -> lines.addAll(brought(best, choice)));
    }
    for (PutBack back : putBack) {
      lines.addAll(TuningScreen.wrap(back.base(), "  "));
      back.brings().forEach((change, brings) -> lines.addAll(choice(change, brings)));
    }
    lines.add("");
    lines.addAll(figures(best, asItIs, labels));
    lines.add("");
    labels.forEach(one -> lines.addAll(TuningScreen.wrap(one.counts(), "  ")));
    return lines;
  }

  private List<String> brought(ScoredCandidate best, int choice) {
    Candidate other = best.candidate().with(choice, 0);
    ScoredCandidate without = whole.apply(other);
    String change = change(best, choice);
    if (!file.valid(other)) {
      return choice(change, "the others need it");
    }
    if (without == null) {
      return choice(change, "not measured: stopped before");
    }
    return without.finished()
        ? choice(change, brings(best, without, false))
        : choice(change, "without it: " + without.fault());
  }

  private static List<String> choice(String change, Brings brings) {
    String verdict = brings.verdict() == null ? "" : ", " + brings.verdict();
    List<String> lines = new ArrayList<>(choice(change, brings.mean().text() + verdict));
    List<String> tasks = new ArrayList<>();
    brings.byTask().forEach((task, difference) -> tasks.add(task + " " + difference.text()));
    if (!tasks.isEmpty()) {
      lines.addAll(TuningScreen.wrap("    " + String.join("; ", tasks), "    "));
    }
    if (!brings.mean().pays()) {
      brings
          .byTask()
          .forEach(
              (task, difference) -> {
                if (difference.pays()) {
                  lines.addAll(
                      TuningScreen.wrap(
                          "    a gain for %s alone: --task %s judges by it".formatted(task, task),
                          "    "));
                }
              });
    }
    return lines;
  }

  private static List<String> choice(String change, String brings) {
    if (change.length() <= CHOICE) {
      return TuningScreen.wrap(("%-" + CHOICE + "s  %s").formatted(change, brings), "    ");
    }
    List<String> lines = new ArrayList<>(TuningScreen.wrap(change, "    "));
    lines.addAll(choice("", brings));
    return lines;
  }

  private List<String> figures(
      ScoredCandidate best, ScoredCandidate asItIs, List<TuningLabels> judged) {
    List<String> lines = new ArrayList<>();
    boolean same = best.candidate().asItIs();
    figure(lines, "newer half of the impressions", "as it is", same ? "" : "tuned");
    for (int i = 0; i < file.pipeline().tasks().size(); i++) {
      Task task = file.pipeline().tasks().get(i);
      Optional<TuningLabels> of =
          judged.stream().filter(labels -> labels.task().equals(task)).findAny();
      of.ifPresent(
          labels ->
              figure(
                  lines,
                  "%s %s over the constant's".formatted(task.name(), labels.measure()),
                  byTask(asItIs, task),
                  same ? "" : byTask(best, task)));
      List<QualityMetric> told =
          task.binary()
              ? List.of(QualityMetric.AUC, QualityMetric.CALIBRATION)
              : List.of(QualityMetric.SPEARMAN, QualityMetric.NMAE, QualityMetric.CALIBRATION);
      for (QualityMetric metric : told) {
        String name = task.name() + " " + metric.key() + (of.isPresent() ? "" : " (not judged)");
        if (!Double.isNaN(best.score().quality().value(task.name(), metric))) {
          figure(lines, name, metric(asItIs, task, metric), same ? "" : metric(best, task, metric));
        }
      }
    }
    return lines;
  }

  private static void figure(List<String> lines, String name, String before, String after) {
    List<String> names = new ArrayList<>(TuningScreen.wrap(name, "  "));
    if (name.length() > 52) {
      lines.addAll(names);
      names = List.of("");
    }
    lines.add("%-52s  %10s  %10s".formatted(names.get(0), before, after).stripTrailing());
  }

  private static String byTask(ScoredCandidate of, Task task) {
    return of.finished()
        ? TuningScore.text(requireNonNull(of.score().byTask().get(task.name())))
        : "-";
  }

  private static String metric(ScoredCandidate of, Task task, QualityMetric metric) {
    double value = of.finished() ? of.score().quality().value(task.name(), metric) : Double.NaN;
    return Double.isNaN(value) ? "-" : "%.4f".formatted(value);
  }
}
