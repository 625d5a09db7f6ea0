package dev.freshet.core.training;

import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.labels.correction.Estimates;
import dev.freshet.core.labels.correction.NegativeSampling;
import dev.freshet.core.labels.correction.Target;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * Learns one model from a stream of examples: predicts a batch, scores what is settled, then
 * learns. The same examples in the same batches give the same bytes; {@link TrainerSnapshot} saves
 * and restores all of it. One thread at a time.
 */
public final class ModelTrainer implements AutoCloseable {

  private final ModelContext context;
  private final TrainingSettings settings;
  private final Network network;
  private final int core;
  private final int[] identity;
  private final TargetScale scale;
  private final NegativeSampling sampling;
  private final ServedScale served;
  private final ProgressiveScores scores;
  private final DelayHeads heads;
  private final FieldCounts fieldCounts;

  private long steps;
  private long examples;
  private long boundedWeights;
  private long newestEvent = Long.MIN_VALUE;
  private float[] losses = {};
  private float norm;

  public ModelTrainer(ModelContext context, TrainingSettings settings) {
    this.context = context;
    this.settings = settings;
    network = new Network(context, settings.seed(), settings.embeddings().rate());
    heads = DelayHeads.of(context, settings);
    fieldCounts =
        new FieldCounts(context.schema().fields().stream().map(FeatureField::name).toList());
    core = context.core();
    identity = context.identity();
    scale = context.targetScale();
    sampling = settings.sampling();
    served =
        new ServedScale(
            core, scale, context.tasks().stream().map(Task::correction).toList(), sampling);
    scores = new ProgressiveScores(context.tasks(), context.schema(), settings.scoring());
  }

  /**
   * One round on a batch.
   *
   * @return the predictions made before learning: [example][task], in the model's scale
   * @throws TrainingDivergedException if a loss or a gradient is not finite or far too large
   */
  public float[][] process(List<EncodedExample> batch) {
    if (batch.isEmpty()) {
      return new float[0][];
    }
    network.gather(batch, this::learnt);
    batch.forEach(example -> fieldCounts.impression());
    network.eachMissing(batch, (example, field, kind) -> fieldCounts.add(field, kind));
    float[][] predictions = network.predict(batch.size());
    for (int i = 0; i < predictions.length; i++) {
      scores.score(batch.get(i), served(predictions[i]));
      newestEvent = Math.max(newestEvent, batch.get(i).eventTime());
    }
    examples += batch.size();
    if (heads != null) {
      heads.process(batch);
    }
    if (batch.stream().anyMatch(this::learnt)) {
      learn(batch, predictions);
    }
    return predictions;
  }

  private boolean learnt(EncodedExample example) {
    for (int task = 0; task < example.labels().length; task++) {
      if (importance(example, task) > 0) {
        return true;
      }
    }
    return false;
  }

  /** Weight of a label in the loss, before its correction; 0 is not learnt. */
  private float importance(EncodedExample example, int task) {
    TaskLabel label = example.labels()[task];
    if (example.holdout() || label.weight() == 0) {
      return 0;
    }
    if (task == core) {
      return label.weight() * (float) sampling.amountWeight(label.value(), example.id());
    }
    return label.value() > 0 || sampling.keeps(example.id()) ? label.weight() : 0;
  }

  private double[] served(float[] said) {
    double[] scored = new double[said.length];
    for (int task = 0; task < said.length; task++) {
      scored[task] = served.served(task, said[task]);
    }
    return scored;
  }

  private void learn(List<EncodedExample> batch, float[][] predictions) {
    // A loss is divided by the number of its rows. This makes it that of a full batch, so that an
    // example counts the same in a batch that was flushed early.
    float share = Math.min(1, batch.size() / (float) settings.batch());
    int tasks = context.tasks().size();
    float[][] labels = new float[batch.size()][tasks];
    float[][] importance = new float[batch.size()][tasks];
    float[][] reached = new float[batch.size()][tasks];
    long[] same = new long[batch.size()];
    if (core >= 0) {
      for (EncodedExample example : batch) {
        if (importance(example, core) > 0) {
          scale.see(example.labels()[core].value());
        }
      }
    }
    for (int i = 0; i < labels.length; i++) {
      EncodedExample example = batch.get(i);
      same[i] = pair(example);
      for (int task = 0; task < tasks; task++) {
        float weight = importance(example, task);
        if (weight > 0) {
          weight *= (float) context.tasks().get(task).lossWeight();
          TaskLabel label = example.labels()[task];
          reached[i][task] = label.reached() ? 1 : 0;
          Target target = target(example, i, task, predictions[i][task]);
          double value = target.label();
          labels[i][task] = (float) (task == core ? scale.encode(value) : value);
          weight *= (float) target.weight();
          importance[i][task] = weight * share;
        }
      }
    }
    Network.StepReport report =
        network.learn(
            new Network.Targets(labels, importance, reached, same),
            settings.dense(),
            steps,
            settings.seed());
    steps++;
    losses = report.losses();
    for (int task = 0; task < losses.length; task++) {
      losses[task] /= share;
    }
    norm = report.norm();
    checkFinite();
    network.expire(newestEvent);
    if (heads != null) {
      heads.expire(newestEvent);
    }
  }

  /** What a record teaches under its task's delay correction, its weight bounded. */
  private Target target(EncodedExample of, int example, int task, double prediction) {
    double p = task == core ? prediction : sampling.served(prediction);
    TaskLabel label = of.labels()[task];
    Estimates estimates =
        heads == null ? Estimates.notLate(p) : heads.estimates(example, task, label, p);
    Target target =
        context.tasks().get(task).correction().target(label.kind(), label.value(), estimates);
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

  private void checkFinite() {
    for (int task = 0; task < losses.length; task++) {
      if (!Float.isFinite(losses[task])) {
        throw new TrainingDivergedException(
            at() + "the loss of task " + context.tasks().get(task).name() + " is " + losses[task]);
      }
    }
    if (!Float.isFinite(norm) || norm > settings.maxNorm()) {
      throw new TrainingDivergedException(
          at() + "the gradient's norm is " + norm + ", allowed up to " + settings.maxNorm());
    }
  }

  private String at() {
    return "model " + context.model().name() + ", step " + steps + ": ";
  }

  public ModelContext context() {
    return context;
  }

  public Network network() {
    return network;
  }

  public TargetScale scale() {
    return scale;
  }

  /** What is left out of the noes, as manifests tell it. */
  public NegativeSampling sampling() {
    return sampling;
  }

  /** Optimiser steps taken. */
  public long steps() {
    return steps;
  }

  /** Examples seen, learnt from or not. */
  public long examples() {
    return examples;
  }

  /** How often a delay correction's weight was more than it may be. */
  public long boundedWeights() {
    return boundedWeights;
  }

  /** Newest event time among the impressions seen, epoch milliseconds. */
  public long newestEvent() {
    return newestEvent;
  }

  /** Loss of each task at the last step. */
  public float[] losses() {
    return losses;
  }

  /** Norm of the dense gradient at the last step. */
  public float norm() {
    return norm;
  }

  /** Rows of all embedding tables. */
  public long rows() {
    return network.tables().stream().mapToLong(t -> t.size()).sum();
  }

  /**
   * Fields that were absent, or whose values had no row of their own, among the examples that this
   * instance was given; no part of a snapshot.
   */
  public FieldCounts fieldCounts() {
    return fieldCounts;
  }

  /** How good the predictions have been. */
  public ProgressiveScores scores() {
    return scores;
  }

  /** Quality of this model's predictions, per task. */
  public Map<String, Map<String, Double>> quality() {
    return scores.quality();
  }

  /** Writes everything but the pending batch, which its owner keeps. */
  void write(DataOutput out) throws IOException {
    out.writeLong(steps);
    out.writeLong(examples);
    out.writeLong(newestEvent);
    out.writeBoolean(scores.sawServed());
    for (double value : scale.state()) {
      out.writeDouble(value);
    }
    network.write(out);
    scores.write(out);
    out.writeBoolean(heads != null);
    if (heads != null) {
      out.writeLong(boundedWeights);
      heads.write(out);
    }
    scores.writeByValue(out);
  }

  /**
   * The inverse of {@link #write}.
   *
   * @param version of the snapshot's layout
   */
  void read(DataInput in, int version) throws IOException {
    steps = in.readLong();
    examples = in.readLong();
    newestEvent = in.readLong();
    boolean sawServed = in.readBoolean();
    scale.restore(new double[] {in.readDouble(), in.readDouble(), in.readDouble()});
    network.read(in);
    scores.read(in, sawServed);
    boolean had = version >= TrainerSnapshot.WITH_HEADS && in.readBoolean();
    if (had != (heads != null)) {
      throw new IOException(
          "the checkpoint of model "
              + context.model().name()
              + (had ? " has" : " has no")
              + " delay heads, its tasks' corrections now ask for "
              + (had ? "none" : "them")
              + ": give the model a new name to start it afresh");
    }
    if (had) {
      boundedWeights = in.readLong();
      heads.read(in);
    }
    if (version >= TrainerSnapshot.WITH_VALUES) {
      scores.readByValue(in);
    }
  }

  @Override
  public void close() {
    network.close();
    if (heads != null) {
      heads.close();
    }
  }
}
