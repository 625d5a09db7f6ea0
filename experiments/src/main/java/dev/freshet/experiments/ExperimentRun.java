package dev.freshet.experiments;

import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.settings.Nearest;
import dev.freshet.experiments.simulator.Simulator;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** Runs every model of an experiment with every seed, some of them side by side. */
public final class ExperimentRun {

  private final ExperimentFile file;
  private final int threads;
  private final PrintStream out;
  private final @Nullable Path examplesFolder;
  private final Map<SharedExamples.Key, SharedExamples> shared = new HashMap<>();

  private final Set<String> said = ConcurrentHashMap.newKeySet();

  /** Null unless examples and predictions are written. */
  private @Nullable RunFiles files;

  /**
   * @param threads trials at a time; each has a thread of its own
   * @param out where progress goes
   * @param examplesFolder where examples and predictions are written, for other learners; null for
   *     nowhere
   */
  public ExperimentRun(
      ExperimentFile file, int threads, PrintStream out, @Nullable Path examplesFolder) {
    this.file = file;
    this.threads = threads;
    this.out = out;
    this.examplesFolder = examplesFolder;
  }

  /**
   * Runs everything. A trial that diverges ends no other one.
   *
   * @throws Exception if data cannot be read, or training failed for another reason
   */
  public Results run() throws Exception {
    // Sets logging up. Left to the trials, one would wait for it while it loads the native library
    // and another for the loading of libraries while it sets logging up.
    LoggerFactory.getLogger(ExperimentRun.class);
    files =
        examplesFolder == null
            ? null
            : new RunFiles(examplesFolder, file.experiment().experiment());
    List<Callable<Outcome>> trials = new ArrayList<>();
    for (ExperimentFile.Case one : file.cases()) {
      addTrials(one, trials);
    }
    List<Outcome> outcomes = new ArrayList<>();
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<Outcome>> running = new ArrayList<>();
      for (Callable<Outcome> trial : trials) {
        running.add(pool.submit(trial));
      }
      int models = trials.size() - file.experiment().seeds().size();
      int done = 0;
      for (Future<Outcome> trial : running) {
        Outcome outcome = result(trial);
        boolean model = !outcome.model().equals(Simulator.TRUTH);
        done += model ? 1 : 0;
        if (model || !outcome.metrics().isEmpty()) {
          outcomes.add(outcome);
          tell(outcome, model ? "%d/%d".formatted(done, models) : "   ");
        }
      }
    } finally {
      pool.shutdownNow();
    }
    if (files != null) {
      files.finish();
    }
    tellUnknown(outcomes);
    return new Results(file, outcomes);
  }

  private void addTrials(ExperimentFile.Case one, List<Callable<Outcome>> trials) {
    Experiment experiment = file.experiment();
    List<ModelDefinition> models = one.pipeline().models();
    boolean withTruth = one == file.cases().get(0);
    for (long seed : experiment.seeds()) {
      SharedExamples examples =
          shared.computeIfAbsent(
              SharedExamples.Key.of(one.data(), one.pipeline(), seed),
              key ->
                  new SharedExamples(one.data(), one.pipeline(), seed, files != null, this::say));
      for (ModelDefinition model : models) {
        trials.add(using(examples, trial -> learn(trial, model, seed, one, examples), one));
      }
      if (withTruth) {
        trials.add(using(examples, trial -> trial.truth(seed), one));
      }
    }
  }

  private Outcome learn(
      Trial trial,
      ModelDefinition model,
      long seed,
      ExperimentFile.Case one,
      SharedExamples examples)
      throws IOException {
    if (files != null) {
      trial.keepPredictions();
    }
    Outcome outcome = trial.run(model, one.label(model), seed);
    if (files != null && outcome.diverged() != null) {
      files.addDiverged(outcome);
    } else if (files != null) {
      files.add(outcome, examples, one.pipeline(), trial.predictions());
    }
    return outcome;
  }

  private interface Work {
    Outcome of(Trial trial) throws IOException;
  }

  private Callable<Outcome> using(SharedExamples examples, Work work, ExperimentFile.Case one) {
    examples.expect();
    return () -> {
      try {
        return work.of(new Trial(one.pipeline(), examples.get()));
      } finally {
        examples.done();
      }
    };
  }

  private void tellUnknown(List<Outcome> outcomes) {
    Set<String> known = new TreeSet<>();
    outcomes.forEach(outcome -> known.addAll(outcome.metrics().keySet()));
    for (String metric : file.experiment().metrics()) {
      if (!known.contains(metric)) {
        out.printf(
            "No row has the metric %s%s%n", metric, Nearest.hint(metric, List.copyOf(known)));
      }
    }
  }

  /** The same of many seeds and variants once. */
  private void say(String leftOut) {
    if (said.add(leftOut)) {
      out.println(leftOut);
    }
  }

  private void tell(Outcome outcome, String done) {
    StringBuilder figures = new StringBuilder();
    if (outcome.diverged() != null) {
      figures.append("  ").append(outcome.diverged());
    }
    for (String metric : file.experiment().metrics()) {
      Double value = outcome.metrics().get(metric);
      figures.append(value == null ? "" : "  %s %.4f".formatted(metric, value));
    }
    out.printf(
        "%s  %s, seed %d, %.1f s:%s%n",
        done, outcome.model(), outcome.seed(), outcome.seconds(), figures);
    if (outcome.skipped() != null) {
      out.println("     " + outcome.skipped());
    }
  }

  private static Outcome result(Future<Outcome> trial) throws Exception {
    try {
      return trial.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }
}
