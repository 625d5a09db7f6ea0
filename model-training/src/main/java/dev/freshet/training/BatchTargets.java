package dev.freshet.training;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.labels.correction.Estimates;
import dev.freshet.core.labels.correction.NegativeSampling;
import dev.freshet.core.labels.correction.Target;
import dev.freshet.core.labels.correction.UnreachedSampling;
import dev.freshet.core.network.AmountScale;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.pipeline.TrainingSettings;
import dev.freshet.training.TrainingIncidents.Kind;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Targets of a batch: of each label its value and its weight, corrected for delays. */
final class BatchTargets {

  private final ModelContext context;
  private final NegativeSampling sampling;
  private final UnreachedSampling unreached;

  /** Null if no correction asks for them. */
  private final @Nullable DelayHeads heads;

  private final BaseRates rates;
  private final TrainingIncidents incidents;
  private final int core;
  private final int[] identity;
  private long boundedWeights;

  /** Outputs that say the same of all amounts, as of the last batch; null if nothing is known. */
  private double @Nullable [] constant;

  BatchTargets(
      ModelContext context,
      TrainingSettings settings,
      @Nullable DelayHeads heads,
      BaseRates rates,
      TrainingIncidents incidents) {
    this.context = context;
    sampling = settings.sampling();
    // What guesses delays learns from each record, whatever it says.
    unreached = heads == null ? settings.unreached() : new UnreachedSampling(1);
    this.heads = heads;
    this.rates = rates;
    this.incidents = incidents;
    core = context.core();
    identity = context.identity();
  }

  /** How often a correction's weight was more than it may be. */
  long boundedWeights() {
    return boundedWeights;
  }

  /** Of a checkpoint. */
  void boundedWeights(long count) {
    boundedWeights = count;
  }

  /** True if anything of an example is learnt. */
  boolean learnt(EncodedExample example) {
    for (int task = 0; task < example.labels().length; task++) {
      if (importance(example, task) > 0) {
        return true;
      }
    }
    return false;
  }

  /** True if an example is of those that would be learnt, and is left out for others like it. */
  boolean leftOut(EncodedExample example) {
    return unreachedWeight(example) == 0;
  }

  /** 1, but of an example that says nothing but that steps were not reached. */
  double unreachedWeight(EncodedExample example) {
    if (unreached.kept() == 1) {
      return 1;
    }
    int first = -1;
    for (int task = example.labels().length - 1; task >= 0; task--) {
      if (share(example, task) > 0) {
        if (example.labels()[task].reached()) {
          return 1;
        }
        first = task;
      }
    }
    return first < 0 ? 1 : unreached.weight(example.id(), first);
  }

  /** Weight of a label in the loss, before its correction; 0 is not learnt. */
  float importance(EncodedExample example, int task) {
    float share = share(example, task);
    return share == 0 ? 0 : share * (float) unreachedWeight(example);
  }

  /** The same where everything is learnt that is not reached. */
  private float share(EncodedExample example, int task) {
    TaskLabel label = example.labels()[task];
    if (example.holdout() || label.weight() == 0) {
      return 0;
    }
    if (task == core) {
      return label.weight() * (float) sampling.amountWeight(label.value(), example.id());
    }
    return label.value() > 0 || sampling.keeps(example.id()) ? label.weight() : 0;
  }

  /** True if targets depend on what the model predicts before it learns them. */
  boolean readPredictions() {
    return context.tasks().stream()
        .anyMatch(task -> requireNonNull(task.correction()).readsPrediction());
  }

  /** Moves the outputs' biases to the base rates, the last batch's labels among them. */
  void moveBiases() {
    rates.move(constant);
  }

  /**
   * Targets of a batch that the network has gathered; the base rates see it.
   *
   * @param predictions in the model's scale; may be null unless they are {@link #readPredictions
   *     read}
   * @param scale of amounts; null without a core task
   * @param share of a full batch that this one is
   */
  Learner.Targets of(
      List<EncodedExample> batch,
      float @Nullable [][] predictions,
      @Nullable TargetScale scale,
      float share) {
    AmountScale amounts = scale == null ? null : scale.current();
    constant = scale == null ? null : scale.constant(context.model().amount().loss());
    double amountWeight = scale == null || constant == null ? 0 : amountWeight(scale, constant);
    int tasks = context.tasks().size();
    float[][] labels = new float[batch.size()][tasks];
    float[][] importance = new float[batch.size()][tasks];
    float[][] reached = new float[batch.size()][tasks];
    long[] same = new long[batch.size()];
    for (int i = 0; i < labels.length; i++) {
      EncodedExample example = batch.get(i);
      same[i] = pair(example);
      double times = unreachedWeight(example);
      for (int task = 0; task < tasks; task++) {
        float weight = share(example, task) * (float) times;
        if (weight > 0 && task == core && !requireNonNull(amounts).ready()) {
          incidents.add(Kind.HELD, 1);
        } else if (weight > 0) {
          weight *= (float) context.tasks().get(task).lossWeight();
          TaskLabel label = example.labels()[task];
          reached[i][task] = label.reached() ? 1 : 0;
          float said = predictions == null ? Float.NaN : predictions[i][task];
          Target target = target(example, i, task, said);
          double value = target.label();
          labels[i][task] = (float) (task == core ? requireNonNull(amounts).encode(value) : value);
          weight *= (float) target.weight();
          if (task == core) {
            weight *= (float) amountWeight;
          } else {
            rates.see(task, value, weight / times, times);
          }
          importance[i][task] = weight * share;
        }
      }
    }
    return new Learner.Targets(
        labels, importance, reached, same, batch.size() / share, pace(scale));
  }

  /**
   * Weight of the core task's loss that makes its labels pull as hard, in the root mean square over
   * all examples, as those of the task that it comes after: a log loss's gradient by its log-odds
   * has {@code sqrt(p (1 - p))} where the base rate p is said of all; p is a half where nobody
   * knows, or the amount comes after the impression. Both losses pull at the same embeddings, and
   * the one that pulls harder has them to itself.
   */
  private double amountWeight(TargetScale scale, double[] said) {
    int parent = Task.parent(context.tasks(), core);
    double rate = parent < 0 ? Double.NaN : rates.rate(parent);
    if (Double.isNaN(rate)) {
      rate = 0.5;
    }
    return Math.sqrt(rate * (1 - rate)) / scale.pull(context.model().amount(), said);
  }

  private float[] pace(@Nullable TargetScale scale) {
    float[] pace = new float[context.tasks().size()];
    for (int task = 0; task < pace.length; task++) {
      pace[task] = task == core ? requireNonNull(scale).pace() : rates.pace(task);
    }
    return pace;
  }

  /** Target of a record under its task's delay correction, its weight bounded. */
  private Target target(EncodedExample of, int example, int task, double prediction) {
    double p = task == core ? prediction : sampling.served(prediction);
    TaskLabel label = of.labels()[task];
    Estimates estimates =
        heads == null ? Estimates.notLate(p) : heads.estimates(example, task, label, p);
    Target target =
        requireNonNull(context.tasks().get(task).correction(), "tasks are resolved")
            .target(label.kind(), label.value(), estimates);
    if (target.weight() > context.maxWeight()) {
      boundedWeights++;
      target = new Target(target.label(), context.maxWeight());
    }
    return task == core ? target : sampling.sampled(target, of.id());
  }

  /**
   * Equal for examples of the same user and item; the impression's id if nobody says what these
   * are.
   */
  private long pair(EncodedExample example) {
    if (identity.length == 0) {
      return example.id();
    }
    long hash = 0;
    for (int field : identity) {
      for (int i = example.starts()[field]; i < example.starts()[field + 1]; i++) {
        hash = (hash ^ example.keys()[i]) * 0x9E3779B97F4A7C15L;
      }
    }
    return hash;
  }
}
