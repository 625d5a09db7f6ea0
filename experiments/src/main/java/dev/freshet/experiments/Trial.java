package dev.freshet.experiments;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskKind;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.adaftr.AdaFtr;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.experiments.simulator.Simulator;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.ProgressiveScores;
import dev.freshet.training.ScoredExample;
import dev.freshet.training.TrainingDivergedException;
import dev.freshet.training.TrainingIncidents.Kind;
import dev.freshet.training.evaluation.QualityAccumulator;
import dev.freshet.training.evaluation.QualityMetric;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * One model, one seed. Besides the trainer's own metrics it tells:
 *
 * <ul>
 *   <li>{@code chain.violations}: predictions of a step that is likelier than the step before it,
 *       of a million scored pairs of steps;
 *   <li>{@code <task>.reachedAuc}: AUC of {@code q_t / q_{t-1}} where the step before happened;
 *   <li>{@code relatedness.<group>}: AdaFTR's mean relatedness of the first pair of tasks, over the
 *       scored examples of each group, and {@code relatedness.separation}: AUC with which it tells
 *       the first group from the others.
 * </ul>
 */
final class Trial {

  private static final double SMALLEST = 1e-7;

  /** Examples of which relatedness is asked at a time. */
  private static final int RELATED = 1024;

  private final Pipeline pipeline;
  private final Examples examples;

  private long pairs;
  private long violations;
  private final Map<Integer, QualityAccumulator> reached = new TreeMap<>();

  /** Null unless predictions are wanted. */
  private float @Nullable [][] predictions;

  Trial(Pipeline pipeline, Examples examples) {
    this.pipeline = pipeline;
    this.examples = examples;
  }

  /** Keeps every prediction that a label is scored against, for {@link #predictions}. */
  void keepPredictions() {
    float[][] none = new float[examples.all().size()][pipeline.tasks().size()];
    for (float[] row : none) {
      Arrays.fill(row, Float.POSITIVE_INFINITY);
    }
    predictions = none;
  }

  /** Of each example and task, in the layout of {@link RunFiles}. */
  float[][] predictions() {
    return requireNonNull(predictions, "keepPredictions comes first");
  }

  /**
   * Trains and scores. Training that diverges is an outcome too.
   *
   * @param name of the row that this is a value of
   * @throws CancellationException if the thread is interrupted
   */
  Outcome run(ModelDefinition model, String name, long seed) {
    long start = System.nanoTime();
    try (ModelTrainer trainer =
        new ModelTrainer(pipeline.context(model), pipeline.training().withSeed(seed))) {
      int size;
      for (int i = 0; i < examples.all().size(); i += size) {
        if (Thread.currentThread().isInterrupted()) {
          throw new CancellationException("nobody wants " + name + " any more");
        }
        size = pipeline.training().batchAfter(i);
        List<EncodedExample> part = batch(i, size);
        score(trainer, part, trainer.process(part));
        keep(trainer, i);
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      Map<String, Double> metrics = flat(trainer.quality().byKey());
      if (trainer.scores().byValue() != null) {
        metrics.putAll(flat(trainer.scores().byValue().metrics()));
      }
      own(metrics);
      relatedness(trainer, model, metrics);
      return new Outcome(name, seed, metrics, seconds, null, skipped(trainer));
    } catch (TrainingDivergedException e) {
      return Outcome.diverged(name, seed, (System.nanoTime() - start) / 1e9, e.brief());
    }
  }

  private static @Nullable String skipped(ModelTrainer trainer) {
    long count = trainer.incidents().count(Kind.SKIPPED);
    return count == 0
        ? null
        : "%d of its batches were left out, the first at %s"
            .formatted(count, trainer.incidents().sample(Kind.SKIPPED));
  }

  private void keep(ModelTrainer trainer, int from) {
    if (predictions == null) {
      return;
    }
    int place = from;
    for (ScoredExample scored : trainer.scored()) {
      while (examples.all().get(place).id() != scored.example().id()) {
        place++;
      }
      if (trainer.scores().inRange(scored.example())) {
        for (int task = 0; task < predictions[place].length; task++) {
          if (scored.example().labels()[task].isFinal()) {
            predictions[place][task] = (float) scored.first()[task];
          }
        }
      }
      place++;
    }
  }

  private List<EncodedExample> batch(int from, int size) {
    List<EncodedExample> all = examples.all();
    return all.subList(from, Math.min(from + size, all.size()));
  }

  /** The best that any model could do, where the examples know it. */
  Outcome truth(long seed) {
    ProgressiveScores scores =
        new ProgressiveScores(pipeline.tasks(), pipeline.schema(), pipeline.training().scoring());
    examples.all().forEach(scores::scoreServed);
    return new Outcome(Simulator.TRUTH, seed, flat(scores.servedQuality().byKey()), 0, null, null);
  }

  private static Map<String, Double> flat(Map<String, Map<String, Double>> quality) {
    Map<String, Double> flat = new LinkedHashMap<>();
    quality.forEach(
        (task, all) -> all.forEach((name, value) -> flat.put(task + "." + name, value)));
    return flat;
  }

  private void score(ModelTrainer trainer, List<EncodedExample> batch, float[][] predictions) {
    List<Task> tasks = pipeline.tasks();
    for (int i = 0; i < predictions.length; i++) {
      EncodedExample example = batch.get(i);
      if (predictions[i] == null || !trainer.scores().inRange(example)) {
        continue;
      }
      for (int t = 1; t < tasks.size() && tasks.get(t).binary(); t++) {
        float before = predictions[i][t - 1];
        float here = predictions[i][t];
        pairs++;
        violations += here > before ? 1 : 0;
        TaskLabel label = example.labels()[t];
        if (label.isFinal() && label.reached()) {
          reached
              .computeIfAbsent(t, task -> new QualityAccumulator(TaskKind.BINARY))
              .add(Math.min(1, here / Math.max(before, SMALLEST)), label.value());
        }
      }
    }
  }

  private void own(Map<String, Double> metrics) {
    if (pairs > 0) {
      metrics.put("chain.violations", 1e6 * violations / pairs);
    }
    reached.forEach(
        (task, quality) -> {
          double auc = quality.value(QualityMetric.AUC);
          if (!Double.isNaN(auc)) {
            metrics.put(pipeline.tasks().get(task).name() + ".reachedAuc", auc);
          }
        });
  }

  private void relatedness(
      ModelTrainer trainer, ModelDefinition model, Map<String, Double> metrics) {
    if (!(model instanceof AdaFtr) || examples.groups().length == 0) {
      return;
    }
    Map<Integer, double[]> sums = new TreeMap<>();
    QualityAccumulator separation = new QualityAccumulator(TaskKind.BINARY);
    for (int i = 0; i < examples.all().size(); i += RELATED) {
      List<EncodedExample> part = batch(i, RELATED);
      if (!trainer.scores().inRange(part.get(0))) {
        continue;
      }
      float[][] r = trainer.network().inspect(part);
      for (int j = 0; j < r.length; j++) {
        double[] sum = sums.computeIfAbsent(examples.groups()[i + j], group -> new double[3]);
        sum[0] += r[j][0];
        sum[1] += r[j][r[j].length / 2];
        sum[2]++;
        separation.add(r[j][0], examples.groups()[i + j] == 0 ? 1 : 0);
      }
    }
    sums.forEach(
        (group, sum) -> {
          metrics.put("relatedness." + group, sum[0] / sum[2]);
          metrics.put("agreement." + group, sum[1] / sum[2]);
        });
    double auc = separation.value(QualityMetric.AUC);
    if (!Double.isNaN(auc)) {
      metrics.put("relatedness.separation", auc);
    }
  }
}
