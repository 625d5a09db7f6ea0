package dev.freshet.local.experiment;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.Task;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.local.experiment.TunedPipeline.Candidate;
import dev.freshet.local.experiment.TuningScore.Difference;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.LoggerFactory;

/**
 * Looks for settings that suit a user's own events, by successive halving (Jamieson and Talwalkar
 * 2016): many candidates learn the newest ninth of the impressions, the best third of them the
 * newest third, the best third of these all. Each is judged by the newer half of what it learns,
 * every impression predicted when it came. Then each change of the winner is taken back alone: what
 * does not pay by more than two standard errors stays as it was, and so does everything where all
 * changes together do not.
 */
public final class Tuning {

  private static final int KEPT = 3;
  private static final int FEWEST = 3000;

  /** Between two signs of life where no candidate is done: on a terminal, and elsewhere. */
  private static final Duration REDRAWN = Duration.ofSeconds(1);

  private static final Duration SAID_AGAIN = Duration.ofSeconds(20);

  /** Columns of a choice in the report, so that a verdict fits beside it. */
  private static final int CHOICE = 32;

  /** What to do, and with how much of it. */
  public record Settings(
      Path pipeline,
      List<String> impressions,
      List<String> feedback,
      List<String> tasks,
      int candidates,
      int threads,
      long seed) {}

  /**
   * A candidate that was tried.
   *
   * @param score null if it diverged
   * @param fault why it came to nothing; null if it did not
   * @param skipped what of its batches was left out; null for nothing
   */
  private record Scored(
      Candidate candidate, TuningScore score, String fault, String skipped, double seconds) {

    double total() {
      return fault == null ? score.total() : Double.POSITIVE_INFINITY;
    }

    boolean finished() {
      return Double.isFinite(total());
    }

    /** Whether it is better than another beyond the error of their difference. */
    boolean pays(Scored than) {
      return !than.finished() || score.less(than.score()).pays();
    }
  }

  /** A part of the impressions, the newest, and what can be told from it. */
  private record Share(double share, List<TuningLabels> labels) {}

  private final Settings settings;
  private TunedPipeline file;
  private final TuningEvents events;
  private int[] judged;
  private final TuningScreen screen;
  private final Duration sign;
  private final List<Share> shares = new ArrayList<>();

  /** By which tasks nobody is judged although somebody wants it, and why. */
  private final List<String> notJudged = new ArrayList<>();

  /** Why nothing can be found. */
  private final List<String> faults = new ArrayList<>();

  /** All of the impressions, by candidate: what is learnt once is not learnt again. */
  private final Map<Candidate, Scored> whole = new HashMap<>();

  private Scored best;

  /** The file as it is, on the impressions on which the best one was tried. */
  private Scored asItIs;

  /**
   * Choices that were made no more.
   *
   * @param base what their differences are to
   * @param brings by change
   */
  private record PutBack(String base, Map<String, Brings> brings) {}

  /**
   * What a change brings.
   *
   * @param mean of the judged tasks
   * @param verdict null if it was made
   */
  private record Brings(Difference mean, Map<String, Difference> byTask, String verdict) {}

  private final List<PutBack> putBack = new ArrayList<>();

  private Share now;
  private String round = "";

  /**
   * Reads the pipeline and the events.
   *
   * @param terminal whether a table can be drawn in its place
   * @throws IllegalArgumentException if there is no task of a name in the settings, or there are no
   *     impressions
   */
  public Tuning(Settings settings, PrintStream out, boolean terminal) throws IOException {
    this(settings, out, terminal, terminal ? REDRAWN : SAID_AGAIN);
  }

  Tuning(Settings settings, PrintStream out, boolean terminal, Duration sign) throws IOException {
    this.settings = settings;
    this.sign = sign;
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
   * Looks at the labels, without learning: what can be told from how much of the events.
   *
   * @throws IOException if a file cannot be read
   */
  public void look() throws IOException {
    screen.say(
        String.format(
            Locale.ROOT,
            "Tuning %s, model %s, on %,d impressions",
            file.pipeline().pipeline(),
            file.pipeline().models().get(0).name(),
            events.impressions()));
    events.leftOut().forEach(screen::say);
    List<EncodedExample> examples =
        events.newest(1).load(file.pipeline(file.asItIs()), settings.seed()).all();
    Share asked = share(1, examples);
    asked.labels().forEach(labels -> screen.say(labels.counts()));
    for (TuningLabels labels : asked.labels()) {
      if (labels.fault() != null) {
        notJudged.add("Not judged by " + labels.task().name() + ": " + labels.fault());
      }
    }
    judged =
        IntStream.range(0, judged.length)
            .filter(i -> asked.labels().get(i).fault() == null)
            .map(i -> judged[i])
            .toArray();
    if (judged.length == 0) {
      asked.labels().forEach(labels -> faults.add(labels.fault()));
      return;
    }
    Share all =
        new Share(1, asked.labels().stream().filter(labels -> labels.fault() == null).toList());
    if (!notJudged.isEmpty()) {
      notJudged.forEach(screen::say);
      List<String> names = all.labels().stream().map(labels -> labels.task().name()).toList();
      screen.say("Judged by " + String.join(", ", names));
    }
    shares.add(all);
    Set<Task> tasks = all.labels().stream().map(TuningLabels::task).collect(Collectors.toSet());
    file = file.judgedBy(tasks::contains);
    double share = 1.0 / KEPT;
    while (shares.size() < KEPT && share * events.impressions() >= FEWEST) {
      Share part = share(share, examples);
      for (TuningLabels labels : part.labels()) {
        if (labels.fault() != null) {
          screen.say(
              String.format(
                  Locale.ROOT,
                  "No round with the newest %,d impressions alone: %s",
                  Math.round(share * events.impressions()),
                  labels.fault()));
          return;
        }
      }
      shares.add(0, part);
      share /= KEPT;
    }
  }

  private Share share(double share, List<EncodedExample> examples) {
    List<Task> tasks = file.pipeline().tasks();
    List<TuningLabels> labels =
        Arrays.stream(judged)
            .mapToObj(
                task ->
                    TuningLabels.of(
                        tasks.get(task),
                        task,
                        examples,
                        events.since(share),
                        events.since(share / 2)))
            .toList();
    return new Share(share, labels);
  }

  /**
   * Searches until it is done or the thread is interrupted, after {@link #look}.
   *
   * @return whether it was done; if not, {@link #found} is the best so far
   * @throws Exception if events cannot be read, or a trial fails otherwise than by diverging
   */
  public boolean run() throws Exception {
    if (!faults.isEmpty()) {
      return true;
    }
    // See ExperimentRun.
    LoggerFactory.getLogger(Tuning.class);
    List<Candidate> candidates = file.candidates(settings.candidates(), settings.seed());
    if (candidates.size() < 2) {
      faults.add("there is nothing to try that makes a valid file");
      return true;
    }
    screen.say(plan(candidates.size()));
    ExecutorService pool = Executors.newFixedThreadPool(settings.threads());
    boolean done = false;
    try {
      halve(candidates, pool);
      if (faults.isEmpty()) {
        simplify(pool);
      }
      done = true;
    } catch (InterruptedException e) {
      done = false;
    } finally {
      pool.shutdownNow();
      // Trials hold native memory; they see that nobody wants them at their next batch.
      Thread.interrupted();
      pool.awaitTermination(1, TimeUnit.MINUTES);
    }
    if (found()) {
      compareWithDefault();
    }
    return done;
  }

  /** How many runs there will be, at most. */
  private String plan(int candidates) {
    List<String> rounds = new ArrayList<>();
    int all = 0;
    int left = candidates;
    for (int i = 0; i < shares.size(); i++) {
      rounds.add(String.valueOf(left));
      all += left;
      left = Math.min(left, kept(left) + 1);
    }
    int choices = file.choices().size();
    // Each pass puts one back at least, and tries those that do not pay together.
    int passes = choices * (choices + 1) / 2 + choices - 1;
    return ("%s candidates in %d round%s; then what each choice of the best brings: %d runs for"
            + " %d choices if all pay, fewer for fewer, more if some do not. At most %d runs")
        .formatted(
            String.join(" + ", rounds),
            rounds.size(),
            rounds.size() == 1 ? "" : "s",
            choices,
            choices,
            all + passes);
  }

  private static int kept(int candidates) {
    return Math.max(2, (candidates + KEPT - 1) / KEPT);
  }

  private void halve(List<Candidate> candidates, ExecutorService pool) throws Exception {
    List<Candidate> left = candidates;
    for (int i = 0; i < shares.size(); i++) {
      now = shares.get(i);
      round =
          String.format(
              Locale.ROOT,
              "Round %d of %d, %,d impressions",
              i + 1,
              shares.size(),
              Math.round(now.share() * events.impressions()));
      List<Scored> ranked = trials(left, pool, round, one -> file.describe(one.candidate()));
      List<Scored> finished = ranked.stream().filter(Scored::finished).toList();
      if (finished.stream().allMatch(one -> one.candidate().asItIs())) {
        faults.add(
            "of %d candidates none%s was learnt to its end; the first %s"
                .formatted(
                    ranked.size(),
                    finished.isEmpty() ? "" : " but the file as it is",
                    ranked.get(ranked.size() - 1).fault()));
        return;
      }
      best = finished.get(0);
      asItIs = ranked.stream().filter(one -> one.candidate().asItIs()).findAny().orElseThrow();
      List<Candidate> next = new ArrayList<>();
      finished.stream().limit(kept(left.size())).map(Scored::candidate).forEach(next::add);
      if (!next.contains(file.asItIs())) {
        next.add(file.asItIs()); // What everything is compared with.
      }
      left = next;
      screen.say(
          "%s: the best is %s, %s%s"
              .formatted(
                  round,
                  TuningScore.text(best.total()),
                  file.describe(best.candidate()),
                  worse(best)));
    }
  }

  /** Takes back what does not pay, until everything that is left does. */
  private void simplify(ExecutorService pool) throws Exception {
    int pass = 0;
    for (Map<Integer, Candidate> without = reverted(); !without.isEmpty(); without = reverted()) {
      pass++;
      Scored base = best;
      round =
          "Pass %d, each choice of the best taken back alone, ± error of the difference to the best"
                  .formatted(pass)
              + ", %s; above 0 is worse without it".formatted(TuningScore.text(base.total()));
      trials(List.copyOf(without.values()), pool, round, one -> without(base, one));
      List<Integer> unpaid = new ArrayList<>();
      for (Map.Entry<Integer, Candidate> one : without.entrySet()) {
        if (!best.pays(whole.get(one.getValue()))) {
          unpaid.add(one.getKey());
        }
      }
      if (unpaid.isEmpty()) {
        return;
      }
      unpaid.sort(Comparator.comparingDouble(i -> whole.get(without(i)).total()));
      Scored least = whole.get(without(unpaid.get(0)));
      Candidate simple = best.candidate();
      for (int choice : unpaid) {
        simple = simple.with(choice, 0);
      }
      if (unpaid.size() > 1 && file.valid(simple)) {
        String together = "Pass %d, all that do not pay taken back at once".formatted(pass);
        trials(List.of(simple), pool, together, one -> without(base, one));
      }
      Scored tried = whole.get(simple);
      if (tried == null || best.pays(tried) || least.pays(tried)) {
        // Some pay without others: what one does the other does too, or one spoils what another
        // does.
        unpaid = unpaid.subList(0, 1);
        simple = least.candidate();
      }
      PutBack back =
          new PutBack(
              "Taken back in pass %d, each alone from the best then, score %s:"
                  .formatted(pass, TuningScore.text(best.total())),
              new LinkedHashMap<>());
      for (int choice : unpaid) {
        back.brings().put(change(choice), brings(best, whole.get(without(choice)), true));
      }
      putBack.add(back);
      best = whole.get(simple);
    }
  }

  private static Brings brings(Scored with, Scored without, boolean kept) {
    Difference mean = with.score().less(without.score());
    Map<String, Difference> byTask = with.score().lessByTask(without.score());
    return new Brings(mean, byTask.size() > 1 ? byTask : Map.of(), kept ? mean.kept() : null);
  }

  /** What a candidate takes back of another one, and what that does. */
  private String without(Scored base, Scored of) {
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

  /** Of which tasks its score is above 1; nothing if of none. */
  private static String worse(Scored one) {
    String names =
        one.score().byTask().entrySet().stream()
            .filter(task -> task.getValue() > 1)
            .map(Map.Entry::getKey)
            .collect(Collectors.joining(", "));
    return names.isEmpty() ? "" : "; for " + names + " it is worse than knowing only the mean";
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

  /** Each may pay beside the others, and all together for nothing. */
  private void compareWithDefault() {
    if (best.pays(asItIs)) {
      return;
    }
    List<Integer> changed = changed();
    if (!changed.isEmpty()) {
      String all = String.join(", ", changed.stream().map(this::change).toList());
      putBack.add(
          new PutBack(
              "Taken back at the end, %s the file as it is, score %s:"
                  .formatted(
                      changed.size() == 1 ? "beside" : "together beside",
                      TuningScore.text(asItIs.total())),
              Map.of(all, brings(best, asItIs, true))));
    }
    best = asItIs;
  }

  private List<Integer> changed() {
    return IntStream.range(0, file.choices().size())
        .filter(i -> best.candidate().values().get(i) > 0)
        .boxed()
        .toList();
  }

  private String change(int choice) {
    int value = best.candidate().values().get(choice);
    String name = file.choices().get(choice).name();
    return name + ": " + file.label(choice, 0) + " -> " + file.label(choice, value);
  }

  /**
   * Learns all of them on the share of this round; the best first.
   *
   * @param note what is said of each that is done
   */
  private List<Scored> trials(
      List<Candidate> candidates,
      ExecutorService pool,
      String heading,
      Function<Scored, String> note)
      throws Exception {
    double share = now.share();
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
    TuningProgress progress =
        new TuningProgress(candidates.size(), open.size(), settings.threads(), System.nanoTime());
    CompletionService<Scored> running = new ExecutorCompletionService<>(pool);
    for (List<Candidate> group : groups.values()) {
      SharedExamples shared =
          // What lines are no events was said before; feedback of older impressions is left out
          // here.
          new SharedExamples(data, file.pipeline(group.get(0)), 0, false, leftOut -> {});
      group.forEach(candidate -> shared.expect());
      for (Candidate candidate : group) {
        running.submit(() -> trial(candidate, shared, share, progress));
      }
    }
    TuningTable rows = new TuningTable(now.labels());
    screen.keep(List.of(""));
    screen.say(heading);
    screen.keep(rows.legend());
    screen.keep(rows.head());
    for (int i = 0; i < done.size(); i++) {
      screen.keep(lines(rows, (i + 1) + "/" + candidates.size(), done.get(i), note));
    }
    boolean first = true;
    while (done.size() < candidates.size()) {
      draw(progress, done);
      Future<Scored> next = running.poll(sign.toMillis(), TimeUnit.MILLISECONDS);
      if (next == null) {
        if (!screen.terminal()) {
          screen.keep(TuningScreen.wrap("  " + progress.text(System.nanoTime()), "    "));
        }
        continue;
      }
      Scored scored;
      try {
        scored = next.get();
      } catch (ExecutionException e) {
        throw e.getCause() instanceof Exception cause ? cause : e;
      }
      done.add(scored);
      if (share >= 1) {
        whole.put(scored.candidate(), scored);
      }
      screen.keep(lines(rows, done.size() + "/" + candidates.size(), scored, note));
      String expected = progress.expected();
      if (first && expected != null) {
        screen.say("  The others take %s, %d at a time".formatted(expected, settings.threads()));
      }
      first = false;
    }
    screen.draw(List.of());
    done.sort(Comparator.comparingDouble(Scored::total));
    return done;
  }

  private Scored trial(
      Candidate candidate, SharedExamples shared, double share, TuningProgress progress)
      throws IOException {
    long start = System.nanoTime();
    String name = file.describe(candidate);
    progress.begin(name, start);
    try {
      Examples examples = shared.get();
      Pipeline pipeline = file.pipeline(candidate);
      ModelDefinition model = pipeline.models().get(0);
      Trial trial = new Trial(pipeline, examples);
      trial.keepPredictions();
      Outcome outcome = trial.run(model, model.name(), settings.seed());
      double seconds = (System.nanoTime() - start) / 1e9;
      if (outcome.diverged() != null) {
        return new Scored(candidate, null, outcome.diverged(), null, seconds);
      }
      TuningScore score =
          new TuningScore(
              pipeline.tasks(),
              judged,
              examples.all(),
              trial.predictions(),
              events.since(share / 2));
      String fault = Double.isFinite(score.total()) ? null : "predicted what is no number";
      return new Scored(candidate, score, fault, outcome.skipped(), seconds);
    } finally {
      progress.end(name, (System.nanoTime() - start) / 1e9);
      shared.done();
    }
  }

  /** How far it is, and the best so far. */
  private void draw(TuningProgress progress, List<Scored> done) {
    List<String> lines = new ArrayList<>();
    done.stream()
        .filter(Scored::finished)
        .min(Comparator.comparingDouble(Scored::total))
        .ifPresent(
            least ->
                lines.addAll(
                    TuningScreen.wrap(
                        "The best so far: %s, %s"
                            .formatted(
                                TuningScore.text(least.total()), file.describe(least.candidate())),
                        "  ")));
    lines.addAll(TuningScreen.wrap(progress.text(System.nanoTime()), "  "));
    lines.add("Ctrl-C keeps the best of the rounds that are over");
    screen.draw(lines);
  }

  private List<String> lines(
      TuningTable rows, String done, Scored scored, Function<Scored, String> note) {
    List<String> notes = new ArrayList<>();
    notes.add(note.apply(scored));
    if (scored.skipped() != null) {
      notes.add(scored.skipped());
    }
    return rows.rows(
        done,
        scored.fault() == null ? scored.score() : null,
        scored.fault(),
        scored.seconds(),
        notes);
  }

  /** Whether a round was ended whose candidates could be compared: there is something to write. */
  public boolean found() {
    return faults.isEmpty() && best != null;
  }

  /** Why there is nothing to write, if nobody interrupted. */
  public String why() {
    String half =
        "the newer half of the impressions, by which candidates are judged, begins at "
            + Instant.ofEpochMilli(events.since(0.5));
    return (shares.isEmpty() ? half + ", and " : "") + String.join("; ", faults);
  }

  /** What was found, in words: the choices, what each brought, and figures before and after. */
  public List<String> report() {
    List<String> lines = new ArrayList<>();
    lines.addAll(
        TuningScreen.wrap(
            "Score %s%s".formatted(TuningScore.text(best.total()), worse(best)), "  "));
    lines.addAll(new TuningTable(now.labels()).legend());
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
      String worse = worse(asItIs);
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
      changed().forEach(choice -> lines.addAll(brought(choice)));
    }
    for (PutBack back : putBack) {
      lines.addAll(TuningScreen.wrap(back.base(), "  "));
      back.brings().forEach((change, brings) -> lines.addAll(choice(change, brings)));
    }
    lines.add("");
    lines.addAll(figures());
    lines.add("");
    now.labels().forEach(labels -> lines.addAll(TuningScreen.wrap(labels.counts(), "  ")));
    notJudged.forEach(fault -> lines.addAll(TuningScreen.wrap(fault, "  ")));
    return lines;
  }

  private List<String> brought(int choice) {
    Scored without = whole.get(without(choice));
    if (!file.valid(without(choice))) {
      return choice(change(choice), "the others need it");
    }
    if (without == null) {
      return choice(change(choice), "not measured: stopped before");
    }
    return without.finished()
        ? choice(change(choice), brings(best, without, false))
        : choice(change(choice), "without it: " + without.fault());
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

  private List<String> figures() {
    List<String> lines = new ArrayList<>();
    boolean same = best.candidate().asItIs();
    figure(lines, "newer half of the impressions", "as it is", same ? "" : "tuned");
    for (int i = 0; i < file.pipeline().tasks().size(); i++) {
      Task task = file.pipeline().tasks().get(i);
      Optional<TuningLabels> of =
          now.labels().stream().filter(labels -> labels.task().equals(task)).findAny();
      of.ifPresent(
          labels ->
              figure(
                  lines,
                  "%s %s over the constant's".formatted(task.name(), labels.measure()),
                  byTask(asItIs, task),
                  same ? "" : byTask(best, task)));
      List<String> told =
          task.binary()
              ? List.of("auc", "calibration")
              : List.of("spearman", "nmae", "calibration");
      for (String metric : told) {
        String name = task.name() + " " + metric + (of.isPresent() ? "" : " (not judged)");
        if (best.score().metrics().get(task.name()).containsKey(metric)) {
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

  private static String byTask(Scored of, Task task) {
    return of.finished() ? TuningScore.text(of.score().byTask().get(task.name())) : "-";
  }

  private static String metric(Scored of, Task task, String metric) {
    Double value = of.finished() ? of.score().metrics().get(task.name()).get(metric) : null;
    return value == null ? "-" : "%.4f".formatted(value);
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
    file.write(best.candidate(), head, to);
  }
}
