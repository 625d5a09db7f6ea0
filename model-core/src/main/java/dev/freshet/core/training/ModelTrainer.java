package dev.freshet.core.training;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.labels.correction.Estimates;
import dev.freshet.core.labels.correction.NegativeSampling;
import dev.freshet.core.labels.correction.Target;
import dev.freshet.core.training.TrainingSettings.Scoring;
import dev.freshet.core.training.evaluation.TaskQuality;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
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
  private TaskQuality quality;
  private TaskQuality servedQuality;
  private final DelayHeads heads;
  private final PendingScores pendingScores = new PendingScores();
  private final long scoredFrom;
  private final long scoredBefore;

  private long steps;
  private long examples;
  private long boundedWeights;
  private long newestEvent = Long.MIN_VALUE;
  private boolean sawServed;
  private float[] losses = {};
  private float norm;

  public ModelTrainer(ModelContext context, TrainingSettings settings) {
    this.context = context;
    this.settings = settings;
    network = new Network(context, settings.seed(), settings.embeddings().rate());
    heads = DelayHeads.of(context, settings);
    core = context.core();
    identity = context.identity();
    scale = context.targetScale();
    sampling = settings.sampling();
    served =
        new ServedScale(
            core, scale, context.tasks().stream().map(Task::correction).toList(), sampling);
    resetQuality();
    Scoring scoring = settings.scoring();
    scoredFrom = scoring.from() == null ? Long.MIN_VALUE : startOf(scoring.from());
    scoredBefore = scoring.to() == null ? Long.MAX_VALUE : startOf(scoring.to().plusDays(1));
  }

  /** Forgets what was scored so far; what was learnt stays. */
  public void resetQuality() {
    quality = new TaskQuality(context.tasks(), settings.scoring().window());
    servedQuality = new TaskQuality(context.tasks(), settings.scoring().window());
    sawServed = false;
  }

  private static long startOf(LocalDate day) {
    return day.atStartOfDay(ZoneOffset.UTC).toInstant().toEpochMilli();
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
    List<EncodedExample> rows = withTakenBack(batch);
    network.gather(rows, this::learnt);
    float[][] predictions = network.predict(rows.size());
    for (int i = 0; i < batch.size(); i++) {
      score(batch.get(i), predictions[i]);
      newestEvent = Math.max(newestEvent, batch.get(i).eventTime());
    }
    examples += batch.size();
    if (heads != null) {
      heads.process(batch);
    }
    if (batch.stream().anyMatch(this::learnt)) {
      learn(rows, predictions);
    }
    return Arrays.copyOf(predictions, batch.size());
  }

  /**
   * The batch, and behind it once more each example whose amount takes an earlier one back, with
   * that amount and the opposite weight. Rows behind the batch are no sightings of their keys.
   */
  private List<EncodedExample> withTakenBack(List<EncodedExample> batch) {
    List<EncodedExample> rows = new ArrayList<>(batch);
    for (EncodedExample example : batch) {
      if (core >= 0 && importance(example, core) > 0 && example.labels()[core].before() != null) {
        TaskLabel label = example.labels()[core];
        TaskLabel[] taken = new TaskLabel[example.labels().length];
        Arrays.fill(taken, TaskLabel.NONE);
        taken[core] = label.takenBack();
        rows.add(example.withLabels(taken));
      }
    }
    return rows;
  }

  private boolean learnt(EncodedExample example) {
    for (int task = 0; task < example.labels().length; task++) {
      if (importance(example, task) > 0) {
        return true;
      }
    }
    return false;
  }

  /**
   * Weight of a label in the loss, before its correction; 0 is not learnt, below 0 is taken back.
   */
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

  private void score(EncodedExample example, float[] prediction) {
    boolean atImpression = settings.scoring().at() == Scoring.At.IMPRESSION;
    TaskLabel[] labels = example.labels();
    float[] scored = prediction;
    if (atImpression) {
      if (TaskLabel.noneOf(labels)) {
        pendingScores.put(example.id(), decoded(prediction));
        return;
      }
      scored = pendingScores.get(example.id());
    }
    boolean inRange = inRange(example);
    for (int task = 0; task < labels.length; task++) {
      if (labels[task].isFinal() && inRange) {
        if (scored != null) {
          double value = atImpression ? scored[task] : served.served(task, scored[task]);
          quality.add(task, value, labels[task].value());
        }
      }
    }
    scoreServed(example);
    // The last task settles last, so nothing will ask for this prediction again.
    if (atImpression && labels[labels.length - 1].isFinal()) {
      pendingScores.remove(example.id());
    }
  }

  /** Scores what the impression was served with, if it says so. */
  public void scoreServed(EncodedExample example) {
    if (example.served().length == 0 || !inRange(example)) {
      return;
    }
    TaskLabel[] labels = example.labels();
    for (int task = 0; task < labels.length; task++) {
      if (labels[task].isFinal() && !Float.isNaN(example.served()[task])) {
        sawServed = true;
        servedQuality.add(task, example.served()[task], labels[task].value());
      }
    }
  }

  /** Whether an example is from the days whose labels are scored. */
  public boolean inRange(EncodedExample example) {
    return example.eventTime() >= scoredFrom && example.eventTime() < scoredBefore;
  }

  private float[] decoded(float[] prediction) {
    float[] decoded = new float[prediction.length];
    for (int task = 0; task < decoded.length; task++) {
      decoded[task] = (float) served.served(task, prediction[task]);
    }
    return decoded;
  }

  private void learn(List<EncodedExample> batch, float[][] predictions) {
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
        if (weight != 0) {
          weight *= (float) context.tasks().get(task).lossWeight();
          TaskLabel label = example.labels()[task];
          reached[i][task] = label.reached() ? 1 : 0;
          if (task == core) {
            labels[i][task] = (float) scale.encode(label.value());
          } else {
            Target target = target(example, i, task, predictions[i][task]);
            labels[i][task] = (float) target.label();
            weight *= (float) target.weight();
          }
          importance[i][task] = weight;
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
    norm = report.norm();
    checkFinite();
    network.expire(newestEvent);
    if (heads != null) {
      heads.expire(newestEvent);
    }
  }

  /** What a record teaches under its task's delay correction, its weight bounded. */
  private Target target(EncodedExample of, int example, int task, double prediction) {
    double p = sampling.served(prediction);
    Estimates estimates = heads == null ? Estimates.notLate(p) : heads.estimates(example, task, p);
    TaskLabel label = of.labels()[task];
    Target target =
        context.tasks().get(task).correction().target(label.kind(), label.value(), estimates);
    if (target.weight() > context.maxWeight()) {
      boundedWeights++;
      target = new Target(target.label(), context.maxWeight());
    }
    return sampling.sampled(target, of.id());
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

  /** Quality of this model's predictions, per task. */
  public Map<String, Map<String, Double>> quality() {
    return quality.metrics();
  }

  /** Quality of the scores that impressions brought with them, per task; empty if none did. */
  public Map<String, Map<String, Double>> servedQuality() {
    return sawServed ? servedQuality.metrics() : Map.of();
  }

  /** Writes everything but the pending batch, which its owner keeps. */
  void write(DataOutput out) throws IOException {
    out.writeLong(steps);
    out.writeLong(examples);
    out.writeLong(newestEvent);
    out.writeBoolean(sawServed);
    for (double value : scale.state()) {
      out.writeDouble(value);
    }
    network.write(out);
    quality.write(out);
    servedQuality.write(out);
    pendingScores.write(out);
    out.writeBoolean(heads != null);
    if (heads != null) {
      out.writeLong(boundedWeights);
      heads.write(out);
    }
  }

  /**
   * The inverse of {@link #write}.
   *
   * @param mayHaveHeads whether the bytes are from when there were delay heads at all
   */
  void read(DataInput in, boolean mayHaveHeads) throws IOException {
    steps = in.readLong();
    examples = in.readLong();
    newestEvent = in.readLong();
    sawServed = in.readBoolean();
    scale.restore(new double[] {in.readDouble(), in.readDouble(), in.readDouble()});
    network.read(in);
    quality.read(in);
    servedQuality.read(in);
    pendingScores.read(in);
    boolean had = mayHaveHeads && in.readBoolean();
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
  }

  @Override
  public void close() {
    network.close();
    if (heads != null) {
      heads.close();
    }
  }
}
