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

/** Runs every model of an experiment with every seed, some of them side by side. */
public final class ExperimentRun {

  private final ExperimentFile file;
  private final int threads;
  private final PrintStream out;
  private int total;
  private int done;

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
    Experiment experiment = file.experiment();
    List<ModelDefinition> models = file.pipeline().models();
    total = models.size() * experiment.seeds().size();
    List<Outcome> outcomes = new ArrayList<>();
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      Examples examples = null;
      for (long seed : experiment.seeds()) {
        boolean fresh = examples == null || experiment.data().seeded();
        if (fresh) {
          examples = experiment.data().load(file.pipeline(), seed);
          out.printf("seed %d: %,d examples%n", seed, examples.all().size());
        }
        outcomes.addAll(oneSeed(examples, seed, fresh, pool));
      }
    } finally {
      pool.shutdownNow();
    }
    return new Results(file, outcomes);
  }

  private List<Outcome> oneSeed(Examples examples, long seed, boolean fresh, ExecutorService pool)
      throws Exception {
    List<Callable<Outcome>> trials = new ArrayList<>();
    int passes = file.experiment().passes();
    for (ModelDefinition model : file.pipeline().models()) {
      trials.add(() -> new Trial(file.pipeline(), examples, passes).run(model, seed));
    }
    List<Future<Outcome>> running = new ArrayList<>();
    for (Callable<Outcome> trial : trials) {
      running.add(pool.submit(trial));
    }
    List<Outcome> outcomes = new ArrayList<>();
    for (Future<Outcome> trial : running) {
      Outcome outcome = result(trial);
      outcomes.add(outcome);
      StringBuilder figures = new StringBuilder();
      for (String metric : file.experiment().metrics()) {
        Double value = outcome.metrics().get(metric);
        figures.append(value == null ? "" : "  %s %.4f".formatted(metric, value));
      }
      out.printf(
          "%d/%d  %s, seed %d, %.1f s:%s%n",
          ++done, total, outcome.model(), seed, outcome.seconds(), figures);
    }
    if (fresh) {
      Outcome truth = new Trial(file.pipeline(), examples, 1).truth(seed);
      if (!truth.metrics().isEmpty()) {
        outcomes.add(truth);
      }
    }
    return outcomes;
  }

  private static Outcome result(Future<Outcome> trial) throws Exception {
    try {
      return trial.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }
}
