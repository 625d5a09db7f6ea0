package dev.freshet.experiments;

import dev.freshet.core.labels.Task;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.experiments.TunedPipeline.Candidate;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Learns candidates, some at a time, and shows how far that is. */
final class TuningTrials implements AutoCloseable {

  private final TunedPipeline file;
  private final TuningEvents events;
  private final TuningScreen screen;
  private final int threads;
  private final long seed;
  private final Duration sign;
  private final ExecutorService pool;

  /** All of the impressions, by candidate: what is learnt once is not learnt again. */
  private final Map<Candidate, ScoredCandidate> whole = new HashMap<>();

  /**
   * @param sign between two signs of life where no candidate is done
   */
  TuningTrials(
      TunedPipeline file,
      TuningEvents events,
      TuningScreen screen,
      int threads,
      long seed,
      Duration sign) {
    this.file = file;
    this.events = events;
    this.screen = screen;
    this.threads = threads;
    this.seed = seed;
    this.sign = sign;
    pool = Executors.newFixedThreadPool(threads);
  }

  /** Its result on all of the impressions; null if it was not tried there. */
  @Nullable ScoredCandidate whole(Candidate candidate) {
    return whole.get(candidate);
  }

  /**
   * Learns all of them on the newest part of the impressions; the best first.
   *
   * @param share how large that part is
   * @param labels of the judged tasks in it
   * @param note the remark on each that is done
   */
  List<ScoredCandidate> run(
      List<Candidate> candidates,
      double share,
      List<TuningLabels> labels,
      String heading,
      Function<ScoredCandidate, String> note)
      throws Exception {
    List<ScoredCandidate> done = new ArrayList<>();
    List<Candidate> open = new ArrayList<>();
    for (Candidate candidate : candidates) {
      ScoredCandidate known = share >= 1 ? whole.get(candidate) : null;
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
    List<Task> tasks = file.pipeline().tasks();
    int[] judged = labels.stream().mapToInt(one -> tasks.indexOf(one.task())).toArray();
    TuningProgress progress =
        new TuningProgress(candidates.size(), open.size(), threads, System.nanoTime());
    CompletionService<ScoredCandidate> running = new ExecutorCompletionService<>(pool);
    for (List<Candidate> group : groups.values()) {
      SharedExamples shared =
          // What lines are no events was said before; feedback of older impressions is left out
          // here.
          new SharedExamples(data, file.pipeline(group.get(0)), 0, false, leftOut -> {});
      group.forEach(candidate -> shared.expect());
      for (Candidate candidate : group) {
        running.submit(() -> trial(candidate, shared, share, judged, progress));
      }
    }
    TuningTable rows = new TuningTable(labels);
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
      Future<ScoredCandidate> next = running.poll(sign.toMillis(), TimeUnit.MILLISECONDS);
      if (next == null) {
        if (!screen.terminal()) {
          screen.keep(TuningScreen.wrap("  " + progress.text(System.nanoTime()), "    "));
        }
        continue;
      }
      ScoredCandidate scored;
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
        screen.say("  The others take %s, %d at a time".formatted(expected, threads));
      }
      first = false;
    }
    screen.draw(List.of());
    done.sort(Comparator.comparingDouble(ScoredCandidate::total));
    return done;
  }

  private ScoredCandidate trial(
      Candidate candidate,
      SharedExamples shared,
      double share,
      int[] judged,
      TuningProgress progress)
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
      Outcome outcome = trial.run(model, model.name(), seed);
      double seconds = (System.nanoTime() - start) / 1e9;
      if (outcome.diverged() != null) {
        return new ScoredCandidate(candidate, null, outcome.diverged(), null, seconds);
      }
      TuningScore score =
          new TuningScore(
              pipeline.tasks(),
              judged,
              examples.all(),
              trial.predictions(),
              events.since(share / 2));
      String fault = Double.isFinite(score.total()) ? null : "predicted what is no number";
      return new ScoredCandidate(candidate, score, fault, outcome.skipped(), seconds);
    } finally {
      progress.end(name, (System.nanoTime() - start) / 1e9);
      shared.done();
    }
  }

  /** How far it is, and the best so far. */
  private void draw(TuningProgress progress, List<ScoredCandidate> done) {
    List<String> lines = new ArrayList<>();
    done.stream()
        .filter(ScoredCandidate::finished)
        .min(Comparator.comparingDouble(ScoredCandidate::total))
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
      TuningTable rows,
      String done,
      ScoredCandidate scored,
      Function<ScoredCandidate, String> note) {
    List<String> notes = new ArrayList<>();
    notes.add(note.apply(scored));
    if (scored.skipped() != null) {
      notes.add(scored.skipped());
    }
    return rows.rows(
        done,
        scored.fault() == null ? scored.judged() : null,
        scored.fault(),
        scored.seconds(),
        notes);
  }

  /** Trials hold native memory; they see that nobody wants them at their next batch. */
  @Override
  public void close() throws InterruptedException {
    pool.shutdownNow();
    Thread.interrupted();
    pool.awaitTermination(1, TimeUnit.MINUTES);
  }
}
