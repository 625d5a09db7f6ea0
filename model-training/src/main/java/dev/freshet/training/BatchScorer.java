package dev.freshet.training;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.labels.correction.NegativeSampling;
import dev.freshet.core.network.AmountScale;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.network.ServedScale;
import dev.freshet.core.network.Shrinkage;
import dev.freshet.training.TrainingIncidents.Kind;
import dev.freshet.training.evaluation.Quality;
import dev.freshet.training.evaluation.QualityMetric;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Scores the predictions for a batch before it is learnt, as they would have been served. */
final class BatchScorer {

  private final ModelContext context;
  private final int core;
  private final List<DelayCorrections> corrections;
  private final NegativeSampling sampling;
  private final ProgressiveScores scores;
  private final BaseRates rates;
  private final Shrinkages shrinkages;
  private final TrainingIncidents incidents;

  BatchScorer(
      ModelContext context,
      NegativeSampling sampling,
      ProgressiveScores scores,
      BaseRates rates,
      Shrinkages shrinkages,
      TrainingIncidents incidents) {
    this.context = context;
    core = context.core();
    corrections = context.tasks().stream().map(Task::correction).toList();
    this.sampling = sampling;
    this.scores = scores;
    this.rates = rates;
    this.shrinkages = shrinkages;
    this.incidents = incidents;
  }

  /**
   * The scale from what the model says to what is served now.
   *
   * @param amounts null without a core task
   */
  ServedScale served(@Nullable AmountScale amounts) {
    return new ServedScale(context, amounts, corrections, sampling, shrinkages());
  }

  /** The shrinkage by which predictions are served now, per task. */
  List<Shrinkage> shrinkages() {
    return IntStream.range(0, context.tasks().size())
        .mapToObj(task -> task == core ? Shrinkage.NONE : shrinkages.of(task, rate(task)))
        .toList();
  }

  /** Quality of the predictions, and the slopes by which these are shrunk, per task. */
  Quality quality() {
    Quality quality = scores.quality();
    List<Shrinkage> now = shrinkages();
    for (int task = 0; task < now.size(); task++) {
      if (task != core) {
        String name = context.tasks().get(task).name();
        requireNonNull(quality.byTask().get(name)).put(QualityMetric.SLOPE, now.get(task).slope());
      }
    }
    return quality;
  }

  /**
   * How predictions would be served before a batch is learnt.
   *
   * @param constant what would be served if the same were said of all examples, per task; NaN where
   *     nothing is known
   * @param known the tasks of which anything was learnt
   * @param steps taken before
   */
  record Before(ServedScale served, double[] constant, boolean[] known, long steps) {}

  /**
   * How predictions would be served now.
   *
   * @param scale null without a core task
   * @param steps taken so far
   */
  Before before(@Nullable TargetScale scale, long steps) {
    ServedScale served = served(scale == null ? null : scale.current());
    boolean[] known = new boolean[context.tasks().size()];
    for (int task = 0; task < known.length; task++) {
      known[task] = task == core ? requireNonNull(served.amounts()).ready() : rates.known(task);
    }
    return new Before(served, constant(scale), known, steps);
  }

  /**
   * Scores a batch, and begins what it teaches of shrinkages.
   *
   * @param said [example][task], in the model's scale; null where nothing is predicted again
   * @param before as of the weights that predicted
   * @return the examples whose impressions are scored
   */
  List<ScoredExample> score(List<EncodedExample> batch, float[][] said, Before before) {
    List<ScoredExample> scored = new ArrayList<>();
    shrinkages.begin();
    for (int i = 0; i < said.length; i++) {
      score(batch.get(i), said[i], before, scored);
    }
    return scored;
  }

  private double[] constant(@Nullable TargetScale scale) {
    double[] constant = new double[context.tasks().size()];
    for (int task = 0; task < constant.length; task++) {
      constant[task] = task == core ? requireNonNull(scale).mean() : rate(task);
    }
    return constant;
  }

  /** The probability that would be served if the same were said of all examples of a task. */
  private double rate(int task) {
    return corrections.get(task).served(sampling.served(rates.rate(task)));
  }

  private void score(
      EncodedExample example, float @Nullable [] said, Before before, List<ScoredExample> scored) {
    PendingScores.First now = said == null ? null : say(example, said, before);
    PendingScores.First first = scores.score(example, now, before.constant());
    if (first != null) {
      shrink(example, first, before.served().shrinkages());
      double[] predicted = now == null ? null : now.predicted();
      scored.add(new ScoredExample(example, predicted, first.predicted(), first.step()));
    }
  }

  private PendingScores.First say(EncodedExample example, float[] said, Before before) {
    double[] unshrunk = before.served().unshrunk(said);
    double[] now = before.served().shrunk(unshrunk);
    for (int task = 0; task < said.length; task++) {
      if (!Double.isFinite(said[task])) {
        now[task] = PendingScores.BROKEN;
        incidents.add(Kind.UNSCORED, 1);
        incidents.sample(
            Kind.UNSCORED,
            String.format(
                Locale.ROOT,
                "task %s, impression %s: %s",
                context.tasks().get(task).name(),
                example.name(),
                said[task]));
      }
    }
    for (int task = 0; task < said.length; task++) {
      if (!before.known()[task]) {
        now[task] = PendingScores.NOTHING;
      }
    }
    return new PendingScores.First(now, unshrunk, before.steps());
  }

  /** Final labels of binary tasks against what was said before anything was learnt of them. */
  private void shrink(EncodedExample example, PendingScores.First first, List<Shrinkage> now) {
    for (int task = 0; task < first.unshrunk().length; task++) {
      TaskLabel label = example.labels()[task];
      boolean compared = task != core && label.isFinal() && !example.holdout();
      if (compared && Double.isFinite(first.predicted()[task])) {
        shrinkages.see(task, now.get(task), first.unshrunk()[task], label.value());
      }
    }
  }
}
