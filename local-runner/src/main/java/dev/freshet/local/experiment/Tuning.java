package dev.freshet.local.experiment;

import dev.freshet.core.labels.Task;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.training.TrainingDivergedException;
import dev.freshet.local.experiment.TunedPipeline.Candidate;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.slf4j.LoggerFactory;

/**
 * Looks for settings that suit a user's own events, by successive halving (Jamieson and Talwalkar
 * 2016): many candidates learn the newest ninth of the impressions, the best third of them the
 * newest third, the best third of these all. Each is judged by the newer half of what it learns,
 * every impression predicted when it came. Then each change of the winner is taken back alone: what
 * does not pay by more than a standard error stays as it was.
 */
public final class Tuning {

  private static final int KEPT = 3;
  private static final int FEWEST = 3000;
  private static final int SHOWN = 10;

  /** What to do, and with how much of it. */
  public record Settings(
      Path pipeline,
      List<String> impressions,
      List<String> feedback,
      List<String> tasks,
      int candidates,
      int threads,
      long seed) {}

  private record Scored(Candidate candidate, TuningScore score, String fault, double seconds) {
    double total() {
      return score == null ? Double.POSITIVE_INFINITY : score.total();
    }
  }

  private final Settings settings;
  private final TunedPipeline file;
  private final TuningEvents events;
  private final int[] judged;
  private final TuningScreen screen;

  /** All of the impressions, by candidate: what is learnt once is not learnt again. */
  private final Map<Candidate, Scored> whole = new HashMap<>();

  private List<Scored> best = List.of();
  private String round = "";

  /**
   * Reads the pipeline and the events.
   *
   * @param terminal whether a table can be drawn in its place
   * @throws IllegalArgumentException if there is no task of a name in the settings, or there are no
   *     impressions
   */
  public Tuning(Settings settings, PrintStream out, boolean terminal) throws IOException {
    this.settings = settings;
    screen = new TuningScreen(out, terminal);
    file = new TunedPipeline(settings.pipeline());
    List<Task> tasks = file.pipeline().tasks();
    List<String> names = tasks.stream().map(Task::name).toList();
    for (String task : settings.tasks()) {
      if (!names.contains(task)) {
        throw new IllegalArgumentException(
            "--task: '" + task + "'; allowed: " + String.join(", ", names));
      }
    }
    judged =
        IntStream.range(0, names.size())
            .filter(i -> settings.tasks().isEmpty() || settings.tasks().contains(names.get(i)))
            .toArray();
    events = new TuningEvents(file.pipeline(), settings.impressions(), settings.feedback());
    if (events.impressions() == 0) {
      throw new IllegalArgumentException(
          "--impressions: there are none"
              + String.join("", events.leftOut().stream().map(one -> "; " + one).toList()));
    }
  }

  /** As its file is, before anything is tried. */
  public Pipeline pipeline() {
    return file.pipeline();
  }

  /**
   * Searches until it is done or the thread is interrupted.
   *
   * @return whether it was done; if not, {@link #found} is the best so far
   * @throws Exception if events cannot be read or a trial fails
   */
  public boolean run() throws Exception {
    // See ExperimentRun.
    LoggerFactory.getLogger(Tuning.class);
    List<Candidate> candidates = file.candidates(settings.candidates(), settings.seed());
    screen.say(
        String.format(
            Locale.ROOT,
            "Tuning %s, model %s: %d candidates, %,d impressions",
            file.pipeline().pipeline(),
            file.pipeline().models().get(0).name(),
            candidates.size(),
            events.impressions()));
    events.leftOut().forEach(screen::say);
    ExecutorService pool = Executors.newFixedThreadPool(settings.threads());
    try {
      halve(candidates, pool);
      simplify(pool);
      return true;
    } catch (InterruptedException e) {
      return false;
    } finally {
      pool.shutdownNow();
      // Trials hold native memory; they see that nobody wants them at their next batch.
      Thread.interrupted();
      pool.awaitTermination(1, TimeUnit.MINUTES);
    }
  }

  private void halve(List<Candidate> candidates, ExecutorService pool) throws Exception {
    List<Double> shares = shares();
    List<Candidate> left = candidates;
    for (int i = 0; i < shares.size(); i++) {
      double share = shares.get(i);
      round =
          String.format(
              Locale.ROOT,
              "Round %d of %d, %,d impressions",
              i + 1,
              shares.size(),
              Math.round(share * events.impressions()));
      List<Scored> ranked = trials(left, share, pool);
      best = ranked;
      int kept = Math.max(2, (left.size() + KEPT - 1) / KEPT);
      List<Candidate> next = new ArrayList<>();
      ranked.stream().limit(kept).map(Scored::candidate).forEach(next::add);
      if (!next.contains(file.asItIs())) {
        next.add(file.asItIs()); // What everything is compared with.
      }
      left = next;
      screen.say(round + ": the best is " + line(ranked.get(0)).strip());
    }
  }

  /** Shares of the impressions, ever larger; small streams are learnt as a whole at once. */
  private List<Double> shares() {
    List<Double> shares = new ArrayList<>(List.of(1.0));
    for (double share = 1.0 / KEPT;
        shares.size() < KEPT && share * events.impressions() >= FEWEST;
        share /= KEPT) {
      shares.add(0, share);
    }
    return shares;
  }

  private void simplify(ExecutorService pool) throws Exception {
    Scored winner = best.get(0);
    round = "What each choice brings";
    List<Candidate> without = new ArrayList<>(reverted(winner.candidate()).values());
    if (without.isEmpty()) {
      return;
    }
    trials(without, 1, pool);
    Candidate simple = winner.candidate();
    for (Map.Entry<Integer, Candidate> one : reverted(winner.candidate()).entrySet()) {
      if (!pays(winner, whole.get(one.getValue()))) {
        simple = simple.with(one.getKey(), 0);
      }
    }
    if (!simple.equals(winner.candidate())) {
      round = "Without what does not pay";
      List<Candidate> again = new ArrayList<>(reverted(simple).values());
      again.add(0, simple);
      trials(again, 1, pool);
      if (!pays(winner, whole.get(simple))) {
        best = List.of(whole.get(simple));
      }
    }
  }

  /** Each choice that is not as it was, and the candidate with it as it was. */
  private Map<Integer, Candidate> reverted(Candidate of) {
    Map<Integer, Candidate> reverted = new LinkedHashMap<>();
    for (int i = 0; i < of.values().size(); i++) {
      Candidate without = of.with(i, 0);
      if (of.values().get(i) > 0 && file.valid(without)) {
        reverted.put(i, without);
      }
    }
    return reverted;
  }

  /** Whether one is better than another by more than a standard error of the difference. */
  private static boolean pays(Scored one, Scored than) {
    if (than.score() == null) {
      return true;
    }
    TuningScore.Difference difference = one.score().less(than.score());
    return !(-difference.value() <= difference.error());
  }

  /** Learns all of them on a share of the impressions; the best first. */
  private List<Scored> trials(List<Candidate> candidates, double share, ExecutorService pool)
      throws Exception {
    List<Scored> done = new ArrayList<>();
    List<Candidate> open = new ArrayList<>();
    for (Candidate candidate : candidates) {
      Scored known = share >= 1 ? whole.get(candidate) : null;
      if (known == null) {
        open.add(candidate);
      } else {
        done.add(known);
      }
    }
    // Those of the same examples one after another, so that these are not held for long.
    DataSource data = events.newest(share);
    Map<TunedPipeline.ExamplesKey, List<Candidate>> groups = new LinkedHashMap<>();
    for (Candidate candidate : open) {
      groups.computeIfAbsent(file.examples(candidate), key -> new ArrayList<>()).add(candidate);
    }
    CompletionService<Scored> running = new ExecutorCompletionService<>(pool);
    for (List<Candidate> group : groups.values()) {
      SharedExamples shared =
          // What lines are no events was said before; feedback of older impressions is left out
          // here.
          new SharedExamples(data, file.pipeline(group.get(0)), 0, false, leftOut -> {});
      group.forEach(candidate -> shared.expect());
      for (Candidate candidate : group) {
        running.submit(() -> trial(candidate, shared, share));
      }
    }
    table(done, candidates.size());
    for (int i = 0; i < open.size(); i++) {
      Scored scored;
      try {
        scored = running.take().get();
      } catch (ExecutionException e) {
        throw e.getCause() instanceof Exception cause ? cause : e;
      }
      done.add(scored);
      if (share >= 1) {
        whole.put(scored.candidate(), scored);
      }
      screen.done("%d/%d %s".formatted(done.size(), candidates.size(), line(scored)));
      done.sort(Comparator.comparingDouble(Scored::total));
      table(done, candidates.size());
    }
    done.sort(Comparator.comparingDouble(Scored::total));
    return done;
  }

  private Scored trial(Candidate candidate, SharedExamples shared, double share)
      throws IOException {
    long start = System.nanoTime();
    try {
      Examples examples = shared.get();
      Pipeline pipeline = file.pipeline(candidate);
      ModelDefinition model = pipeline.models().get(0);
      Trial trial = new Trial(pipeline, examples);
      trial.keepPredictions();
      trial.run(model, model.name(), settings.seed());
      TuningScore score =
          new TuningScore(
              pipeline.tasks(),
              judged,
              examples.all(),
              trial.predictions(),
              events.since(share / 2));
      return new Scored(candidate, score, null, (System.nanoTime() - start) / 1e9);
    } catch (TrainingDivergedException e) {
      return new Scored(candidate, null, "diverged", (System.nanoTime() - start) / 1e9);
    } finally {
      shared.done();
    }
  }

  private void table(List<Scored> done, int total) {
    List<String> lines = new ArrayList<>();
    lines.add(
        "%s: %d of %d done; Ctrl-C keeps the best so far".formatted(round, done.size(), total));
    lines.add("  score  seconds  changes");
    done.stream().limit(SHOWN).map(this::line).forEach(lines::add);
    screen.draw(lines);
  }

  private String line(Scored scored) {
    String score = scored.score() == null ? scored.fault() : "%.4f".formatted(scored.total());
    return "%7s  %7.1f  %s".formatted(score, scored.seconds(), file.describe(scored.candidate()));
  }

  /** Whether a round was ended whose labels tell something, so that there is something to write. */
  public boolean found() {
    return !best.isEmpty() && Double.isFinite(best.get(0).total());
  }

  /** What was found, in words: the choices, what each brought, and figures before and after. */
  public List<String> report() {
    List<String> lines = new ArrayList<>();
    Scored winner = best.get(0);
    Scored before = whole.get(file.asItIs());
    lines.add(
        "Score %.4f (1 is as good as knowing only the mean; lower is better)"
            .formatted(winner.total()));
    if (winner.candidate().asItIs()) {
      lines.add("Nothing that was tried is better than the file as it is.");
      return lines;
    }
    if (before != null && before.score() != null && whole.containsKey(winner.candidate())) {
      lines.add(
          "As it is %.4f; the difference is %s"
              .formatted(before.total(), winner.score().less(before.score()).text()));
    }
    lines.add("");
    lines.add("%-38s  %s".formatted("choice", "what it brings, ± standard error"));
    for (int i = 0; i < file.choices().size(); i++) {
      int value = winner.candidate().values().get(i);
      if (value > 0) {
        Scored without = whole.get(winner.candidate().with(i, 0));
        String brings =
            without == null
                ? "not measured: stopped before"
                : without.score() == null
                    ? "diverges without"
                    : winner.score().less(without.score()).text();
        String change =
            file.choices().get(i).name() + ": " + file.label(i, 0) + " -> " + file.label(i, value);
        lines.add("%-38s  %s".formatted(change, brings));
      }
    }
    if (before != null && before.score() != null && whole.containsKey(winner.candidate())) {
      lines.add("");
      lines.addAll(figures(before.score(), winner.score()));
    }
    return lines;
  }

  private List<String> figures(TuningScore before, TuningScore after) {
    List<String> lines = new ArrayList<>();
    lines.add("%-38s  %10s  %10s".formatted("newer half of the impressions", "as it is", "tuned"));
    for (Task task : file.pipeline().tasks()) {
      List<String> told =
          task.binary()
              ? List.of("auc", "normalizedEntropy", "calibration")
              : List.of("spearman", "nmae", "calibration");
      Map<String, Double> one = before.metrics().get(task.name());
      Map<String, Double> two = after.metrics().get(task.name());
      for (String metric : told) {
        if (one.containsKey(metric) && two.containsKey(metric)) {
          lines.add(
              "%-38s  %10.4f  %10.4f"
                  .formatted(task.name() + " " + metric, one.get(metric), two.get(metric)));
        }
      }
    }
    return lines;
  }

  /**
   * Writes the pipeline file that was found, with what was found as a comment.
   *
   * @throws IOException if it cannot be written
   */
  public void write(Path to) throws IOException {
    List<String> head = new ArrayList<>();
    head.add(
        String.format(
            Locale.ROOT,
            "Tuned by `freshet tune` on %,d impressions, from %s.",
            events.impressions(),
            settings.pipeline().getFileName()));
    head.addAll(report());
    file.write(best.get(0).candidate(), head, to);
  }
}
