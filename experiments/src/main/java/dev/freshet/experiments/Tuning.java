package dev.freshet.experiments;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.experiments.TunedPipeline.Candidate;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
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

  /** The task, and how much is to be spent on it. */
  public record Settings(
      Path pipeline,
      List<String> impressions,
      List<String> feedback,
      List<String> tasks,
      int candidates,
      int threads,
      long seed) {}

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

  private @Nullable ScoredCandidate best;

  /** The file as it is, on the impressions on which the best one was tried. */
  private @Nullable ScoredCandidate asItIs;

  private @Nullable Share now;
  private @Nullable TuningReport report;

  /**
   * Reads the pipeline and the events.
   *
   * @param terminal true if a table can be drawn in its place
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
   * @return true if it was done; if not, {@link #found} is the best so far
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
    boolean done = false;
    try (TuningTrials all =
        new TuningTrials(file, events, screen, settings.threads(), settings.seed(), sign)) {
      TuningReport told = new TuningReport(file, all::whole);
      report = told;
      halve(candidates, all);
      if (faults.isEmpty()) {
        simplify(all, told);
      }
      done = true;
    } catch (InterruptedException e) {
      done = false;
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

  private void halve(List<Candidate> candidates, TuningTrials trials) throws Exception {
    List<Candidate> left = candidates;
    for (int i = 0; i < shares.size(); i++) {
      Share part = shares.get(i);
      now = part;
      String round =
          String.format(
              Locale.ROOT,
              "Round %d of %d, %,d impressions",
              i + 1,
              shares.size(),
              Math.round(part.share() * events.impressions()));
      List<ScoredCandidate> ranked =
          trials.run(
              left, part.share(), part.labels(), round, one -> file.describe(one.candidate()));
      List<ScoredCandidate> finished = ranked.stream().filter(ScoredCandidate::finished).toList();
      if (finished.stream().allMatch(one -> one.candidate().asItIs())) {
        faults.add(
            "of %d candidates none%s was learnt to its end; the first %s"
                .formatted(
                    ranked.size(),
                    finished.isEmpty() ? "" : " but the file as it is",
                    ranked.get(ranked.size() - 1).fault()));
        return;
      }
      ScoredCandidate first = finished.get(0);
      best = first;
      asItIs = ranked.stream().filter(one -> one.candidate().asItIs()).findAny().orElseThrow();
      List<Candidate> next = new ArrayList<>();
      finished.stream().limit(kept(left.size())).map(ScoredCandidate::candidate).forEach(next::add);
      if (!next.contains(file.asItIs())) {
        next.add(file.asItIs()); // What everything is compared with.
      }
      left = next;
      screen.say(
          "%s: the best is %s, %s%s"
              .formatted(
                  round,
                  TuningScore.text(first.total()),
                  file.describe(first.candidate()),
                  first.worse()));
    }
  }

  private void simplify(TuningTrials trials, TuningReport told) throws Exception {
    Share all = known(now);
    TuningSimplification passes =
        new TuningSimplification(file, trials, all.share(), all.labels(), told, known(best));
    try {
      passes.run();
    } finally {
      best = passes.best(); // what is done is done, also if somebody interrupts
    }
  }

  /** Each may pay beside the others, and all together for nothing. */
  private void compareWithDefault() {
    ScoredCandidate best = known(this.best);
    ScoredCandidate asItIs = known(this.asItIs);
    TuningReport report = known(this.report);
    if (best.pays(asItIs)) {
      return;
    }
    int changed = report.changed(best).size();
    if (changed > 0) {
      report.putAllBack(
          "Taken back at the end, %s the file as it is, score %s:"
              .formatted(
                  changed == 1 ? "beside" : "together beside", TuningScore.text(asItIs.total())),
          best,
          asItIs);
    }
    this.best = asItIs;
  }

  private static <T> T known(@Nullable T what) {
    return requireNonNull(what, "run comes first");
  }

  /** True if a round was ended whose candidates could be compared: there is something to write. */
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

  /** The result in words: the choices, what each brought, and figures before and after. */
  public List<String> report() {
    List<String> lines =
        new ArrayList<>(known(report).lines(known(best), known(asItIs), known(now).labels()));
    notJudged.forEach(fault -> lines.addAll(TuningScreen.wrap(fault, "  ")));
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
    file.write(known(best).candidate(), head, to);
  }
}
