package dev.freshet.local.experiment;

import dev.freshet.core.models.ModelDefinition;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.slf4j.LoggerFactory;

/** Runs every model of an experiment with every seed, some of them side by side. */
public final class ExperimentRun {

  private final ExperimentFile file;
  private final int threads;
  private final PrintStream out;

  /**
   * @param threads trials at a time; each has a thread of its own
   * @param out where progress goes
   */
  public ExperimentRun(ExperimentFile file, int threads, PrintStream out) {
    this.file = file;
    this.threads = threads;
    this.out = out;
  }

  /**
   * Runs everything.
   *
   * @throws Exception if data cannot be read, or training failed
   */
  public Results run() throws Exception {
    // Sets logging up. Left to the trials, one would wait for it while it loads the native library
    // and another for the loading of libraries while it sets logging up.
    LoggerFactory.getLogger(ExperimentRun.class);
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
      for (int i = 0; i < running.size(); i++) {
        Outcome outcome = result(running.get(i));
        if (!outcome.metrics().isEmpty()) {
          outcomes.add(outcome);
          tell(outcome, i + 1, trials.size());
        }
      }
    } finally {
      pool.shutdownNow();
    }
    return new Results(file, outcomes);
  }

  private void addTrials(ExperimentFile.Case one, List<Callable<Outcome>> trials) {
    Experiment experiment = file.experiment();
    List<ModelDefinition> models = one.pipeline().models();
    boolean withTruth = one == file.cases().get(0);
    int perSeed = models.size() + (withTruth ? 1 : 0);
    int seeds = experiment.seeds().size();
    SharedExamples all = new SharedExamples(one, experiment.seeds().get(0), perSeed * seeds);
    for (long seed : experiment.seeds()) {
      SharedExamples examples = one.data().seeded() ? new SharedExamples(one, seed, perSeed) : all;
      for (ModelDefinition model : models) {
        trials.add(using(examples, trial -> trial.run(model, one.label(model), seed), one));
      }
      if (withTruth) {
        trials.add(using(examples, trial -> trial.truth(seed), one));
      }
    }
  }

  private Callable<Outcome> using(
      SharedExamples examples, Function<Trial, Outcome> work, ExperimentFile.Case one) {
    return () -> {
      try {
        return work.apply(new Trial(one.pipeline(), examples.get()));
      } finally {
        examples.done();
      }
    };
  }

  private void tell(Outcome outcome, int done, int total) {
    StringBuilder figures = new StringBuilder();
    for (String metric : file.experiment().metrics()) {
      Double value = outcome.metrics().get(metric);
      figures.append(value == null ? "" : "  %s %.4f".formatted(metric, value));
    }
    out.printf(
        "%d/%d  %s, seed %d, %.1f s:%s%n",
        done, total, outcome.model(), outcome.seed(), outcome.seconds(), figures);
  }

  private static Outcome result(Future<Outcome> trial) throws Exception {
    try {
      return trial.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }
}
