package dev.freshet.training;

import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.features.NumberScale;
import dev.freshet.core.features.NumberStatistics;
import dev.freshet.core.labels.AmountRange;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.labels.correction.Estimates;
import dev.freshet.core.labels.correction.NegativeSampling;
import dev.freshet.core.labels.correction.Target;
import dev.freshet.core.models.torch.TorchDevice;
import dev.freshet.core.network.AmountScale;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.network.Network;
import dev.freshet.core.network.ServedScale;
import dev.freshet.core.network.Shrinkage;
import dev.freshet.core.pipeline.TrainingSettings;
import dev.freshet.training.TrainingIncidents.Kind;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Learns one model from a stream of examples: predicts a batch, scores what is settled, then
 * learns. The same examples in the same batches give the same bytes; {@link TrainerSnapshot} saves
 * and restores all of it. One thread at a time.
 */
public final class ModelTrainer implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(ModelTrainer.class);
  private static final int NAMED_EXAMPLES = 8;

  private final ModelContext context;
  private final TrainingSettings settings;
  private final Learner learner;
  private final Network network;
  private final int core;
  private final int[] identity;
  private final List<DelayCorrections> corrections;
  private final NegativeSampling sampling;
  private final ProgressiveScores scores;
  private final TrainingIncidents incidents = new TrainingIncidents();
  private final DelayHeads heads;
  private final FieldCounts fieldCounts;
  private final Evidence evidence;
  private final BaseRates rates;
  private final Shrinkages shrinkages;
  private final NumberStatistics numbers;

  private long steps;
  private long examples;
  private long boundedWeights;
  private int skippedInARow;

  /** Null without a core task. */
  private TargetScale scale;

  private long newestEvent = Long.MIN_VALUE;
  private List<Scored> scored = List.of();
  private float[] losses = {};
  private float norm;

  /** Of the last batch; null if it was learnt. */
  private String leftOut;

  /**
   * An example of the batch that was processed last, with the predictions for it, per task, as they
   * would have been served; not finite where nothing could be said.
   *
   * @param now made just before the batch was learnt
   * @param first made before anything of its impression was learnt: what its labels are scored
   *     against
   * @param step after which {@code first} was made
   */
  public record Scored(EncodedExample example, double[] now, double[] first, long step) {}

  /** One that learns on the CPU, whatever the settings say of devices. */
  public ModelTrainer(ModelContext context, TrainingSettings settings) {
    this(context, settings, TorchDevice.HOST);
  }

  /**
   * @param device where dense weights and their optimiser live and steps are computed; for the
   *     model and for what guesses its delays
   */
  public ModelTrainer(ModelContext context, TrainingSettings settings, TorchDevice device) {
    this.context = context;
    this.settings = settings;
    learner = new Learner(context, settings.seed(), settings.embeddings(), device);
    network = learner.network();
    try {
      heads = DelayHeads.of(context, settings, device);
    } catch (RuntimeException e) {
      learner.close();
      throw e;
    }
    fieldCounts =
        new FieldCounts(context.schema().sent().stream().map(FeatureField::name).toList());
    evidence = new Evidence(context);
    rates = new BaseRates(context, network);
    shrinkages = new Shrinkages(rates, context.shape().binary());
    numbers = new NumberStatistics(context.schema());
    core = context.core();
    identity = context.identity();
    scale = TargetScale.of(context);
    sampling = settings.sampling();
    corrections = context.tasks().stream().map(Task::correction).toList();
    scores = new ProgressiveScores(context.tasks(), context.schema(), settings.scoring());
  }

  /**
   * One round on a batch. If its loss or a gradient is not finite or too large, it is predicted,
   * scored and counted, but leaves weights, optimiser, embedding rows and scales as they were, and
   * {@link #leftOut} says why.
   *
   * @return the predictions made before learning: [example][task], in the model's scale
   * @throws TrainingDivergedException if this is one of too many such batches in a row
   */
  public float[][] process(List<EncodedExample> batch) {
    leftOut = null;
    if (batch.isEmpty()) {
      return new float[0][];
    }
    numbers.see(batch);
    network.numbers(numbers.scales());
    network.gather(batch, this::learnt);
    batch.forEach(example -> fieldCounts.impression());
    network.eachMissing((example, field, kind) -> fieldCounts.add(field, kind));
    float[][] predictions = network.predict(batch.size());
    ServedScale served = served();
    TargetScale next = scale == null ? null : seen(batch);
    List<EncodedExample> plausible = next == null ? batch : plausible(batch, next.current());
    scored = new ArrayList<>();
    double[] constant = constant();
    shrinkages.begin();
    for (int i = 0; i < predictions.length; i++) {
      score(plausible.get(i), predictions[i], served, constant);
      newestEvent = Math.max(newestEvent, batch.get(i).eventTime());
    }
    examples += batch.size();
    if (heads != null && !heads.process(batch, numbers.scales())) {
      skipped("its delay heads' loss or gradient is not finite or too large", "");
    }
    if (heads != null && heads.clipped()) {
      clipped("a gradient of the delay heads");
    }
    boolean sound = true;
    if (plausible.stream().anyMatch(this::learnt)) {
      sound = learn(plausible, predictions, next);
    }
    if (sound) {
      batch.forEach(example -> evidence.add(example, learnt(example)));
      shrinkages.learn();
    }
    if (sound && next != null) {
      compare(plausible, predictions, next);
      scale = next;
    }
    return predictions;
  }

  /** What is known of amounts after the ones that a batch teaches. */
  private TargetScale seen(List<EncodedExample> batch) {
    TargetScale next = scale.copy();
    for (EncodedExample example : batch) {
      if (importance(example, core) > 0) {
        double value = example.labels()[core].value();
        next.see(value, sampling.amountWeight(value, example.id()));
      }
    }
    next.refresh();
    return next;
  }

  /** The same examples with amounts that are in the plausible range. */
  private List<EncodedExample> plausible(List<EncodedExample> batch, AmountScale amounts) {
    List<EncodedExample> plausible = new ArrayList<>(batch);
    for (int i = 0; i < batch.size(); i++) {
      EncodedExample example = batch.get(i);
      TaskLabel label = example.labels()[core];
      double clipped = amounts.clip(label.value());
      if (label.present() && clipped != label.value()) {
        incidents.add(Kind.CLIPPED, 1);
        incidents.sample(
            Kind.CLIPPED,
            String.format(
                Locale.ROOT,
                "task %s, impression %s: %s is learnt as %s",
                context.tasks().get(core).name(),
                example.name(),
                label.value(),
                clipped));
        TaskLabel[] labels = example.labels().clone();
        labels[core] = label.withValue(clipped);
        plausible.set(i, example.withLabels(labels));
      }
    }
    return plausible;
  }

  /** What would be served if the same were said of all examples; NaN where nothing is known. */
  private double[] constant() {
    double[] constant = new double[context.tasks().size()];
    for (int task = 0; task < constant.length; task++) {
      constant[task] = task == core ? scale.mean() : rate(task);
    }
    return constant;
  }

  /** What would be served if the same were said of all examples of a binary task. */
  private double rate(int task) {
    return corrections.get(task).served(sampling.served(rates.rate(task)));
  }

  private void score(EncodedExample example, float[] said, ServedScale served, double[] constant) {
    double[] unshrunk = served.unshrunk(said);
    double[] now = served.shrunk(unshrunk);
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
      if (!(task == core ? served.amounts().ready() : rates.known(task))) {
        now[task] = PendingScores.NOTHING;
      }
    }
    PendingScores.First first =
        scores.score(example, new PendingScores.First(now, unshrunk, steps), constant);
    if (first != null) {
      shrink(example, first, served.shrinkages());
      scored.add(new Scored(example, now, first.predicted(), first.step()));
    }
  }

  /** Settled labels of binary tasks against what was said before anything was learnt of them. */
  private void shrink(EncodedExample example, PendingScores.First first, List<Shrinkage> now) {
    for (int task = 0; task < first.unshrunk().length; task++) {
      TaskLabel label = example.labels()[task];
      boolean told = task != core && label.isFinal() && !example.holdout();
      if (told && Double.isFinite(first.predicted()[task])) {
        shrinkages.see(task, now.get(task), first.unshrunk()[task], label.value());
      }
    }
  }

  /** Settled amounts against what was predicted for them before this batch was learnt. */
  private void compare(List<EncodedExample> batch, float[][] predictions, TargetScale next) {
    AmountScale before = scale.current();
    for (int i = 0; before.ready() && i < predictions.length; i++) {
      EncodedExample example = batch.get(i);
      TaskLabel label = example.labels()[core];
      if (label.isFinal() && !example.holdout() && Float.isFinite(predictions[i][core])) {
        next.compare(before.plain(predictions[i][core]), label.value());
      }
    }
    next.refresh();
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

  /**
   * @param scale null without a core task
   * @return whether the batch was learnt
   */
  private boolean learn(List<EncodedExample> batch, float[][] predictions, TargetScale scale) {
    AmountScale amounts = scale == null ? null : scale.current();
    // A loss is divided by the number of its rows. This makes it that of a full batch, so that an
    // example counts the same in a batch that was flushed early.
    float share = Math.min(1, batch.size() / (float) settings.batchAfter(examples - batch.size()));
    Runnable undo = rates.mark();
    double[] said = scale == null ? null : scale.constant(context.model().amount().loss());
    double amountWeight = said == null ? 0 : amountWeight(scale, said);
    int tasks = context.tasks().size();
    float[][] labels = new float[batch.size()][tasks];
    float[][] importance = new float[batch.size()][tasks];
    float[][] reached = new float[batch.size()][tasks];
    long[] same = new long[batch.size()];
    for (int i = 0; i < labels.length; i++) {
      EncodedExample example = batch.get(i);
      same[i] = pair(example);
      for (int task = 0; task < tasks; task++) {
        float weight = importance(example, task);
        if (weight > 0 && task == core && !amounts.ready()) {
          incidents.add(Kind.HELD, 1);
        } else if (weight > 0) {
          weight *= (float) context.tasks().get(task).lossWeight();
          TaskLabel label = example.labels()[task];
          reached[i][task] = label.reached() ? 1 : 0;
          Target target = target(example, i, task, predictions[i][task]);
          double value = target.label();
          labels[i][task] = (float) (task == core ? amounts.encode(value) : value);
          weight *= (float) target.weight();
          if (task == core) {
            weight *= (float) amountWeight;
          } else {
            rates.see(task, value, weight);
          }
          importance[i][task] = weight * share;
        }
      }
    }
    rates.move(said);
    Learner.StepReport report =
        learner.learn(
            new Learner.Targets(
                labels, importance, reached, same, batch.size() / share, pace(scale)),
            settings,
            steps);
    losses = report.losses();
    for (int task = 0; task < losses.length; task++) {
      losses[task] /= share;
    }
    norm = report.norm();
    if (!report.taken()) {
      undo.run();
      leftOut(batch, labels, importance, predictions);
      return false;
    }
    skippedInARow = 0;
    if (report.clipped()) {
      clipped("a gradient (the dense weights' has a norm of " + norm + ")");
    }
    steps++;
    learner.expire(newestEvent);
    if (heads != null) {
      heads.expire(newestEvent);
    }
    return true;
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

  private float[] pace(TargetScale scale) {
    float[] pace = new float[context.tasks().size()];
    for (int task = 0; task < pace.length; task++) {
      pace[task] = task == core ? scale.pace() : rates.pace(task);
    }
    return pace;
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

  private void leftOut(
      List<EncodedExample> batch, float[][] labels, float[][] importance, float[][] said) {
    int task = 0;
    for (int i = 0; i < losses.length; i++) {
      // The first that is not finite, or else the largest.
      if (Float.isFinite(losses[task]) && !(losses[i] <= losses[task])) {
        task = i;
      }
    }
    int worst = task;
    String why =
        Float.isFinite(losses[task])
            ? "a gradient's norm is not finite or above "
                + settings.maxNorm()
                + " (that of the dense weights is "
                + norm
                + "), the largest loss is that of task "
                + context.tasks().get(task).name()
                + ", "
                + losses[task]
            : "the loss of task " + context.tasks().get(task).name() + " is " + losses[task];
    String examples =
        IntStream.range(0, batch.size())
            .boxed()
            .sorted(
                Comparator.comparingDouble(
                    i -> -off(importance[i][worst], labels[i][worst], said[i][worst])))
            .limit(NAMED_EXAMPLES)
            .map(i -> batch.get(i).name())
            .collect(Collectors.joining(", "));
    String which =
        "; of "
            + batch.size()
            + " examples those of these impressions are the furthest off: "
            + examples;
    skippedInARow++;
    skipped(why, which);
    if (skippedInARow >= settings.maxSkipped()) {
      throw new TrainingDivergedException(
          at() + skippedInARow + " batches in a row cannot be learnt, of the last " + why + which,
          steps,
          why);
    }
  }

  private static double off(float importance, float label, float said) {
    double off = (double) importance * Math.abs(label - said);
    return Double.isNaN(off) ? Double.POSITIVE_INFINITY : off;
  }

  /**
   * @param which examples are at fault, where that is known
   */
  private void skipped(String why, String which) {
    String what = at() + why + which;
    incidents.add(Kind.SKIPPED, 1);
    incidents.sample(Kind.SKIPPED, what);
    // The second time the heads have said so before.
    leftOut = leftOut == null ? at() + why : leftOut + "; " + why;
    LOGGER.warn("A batch is left out: {}", what);
  }

  private void clipped(String what) {
    incidents.add(Kind.CLIPPED_GRADIENT, 1);
    incidents.sample(
        Kind.CLIPPED_GRADIENT, at() + what + " is scaled down to a norm of " + settings.clipNorm());
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

  public Learner learner() {
    return learner;
  }

  /** How amounts are learnt and served now; null without a core task. */
  public AmountScale amounts() {
    return scale == null ? null : scale.current();
  }

  /** How numbers are read now, by field. */
  public Map<String, NumberScale> numbers() {
    return numbers.scales();
  }

  /** From what the model says to what is served now. */
  public ServedScale served() {
    return new ServedScale(context, amounts(), corrections, sampling, shrinkages());
  }

  /** How much of what sets examples apart is served now, per task. */
  public List<Shrinkage> shrinkages() {
    return IntStream.range(0, context.tasks().size())
        .mapToObj(task -> task == core ? Shrinkage.NONE : shrinkages.of(task, rate(task)))
        .toList();
  }

  /**
   * Why the last batch, or for delay heads a part of it, was not learnt: model, step, task, in
   * words. Null if it was.
   */
  public String leftOut() {
    return leftOut;
  }

  /** What was not learnt, or not as it came. */
  public TrainingIncidents incidents() {
    return incidents;
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
    return learner.tables().stream().mapToLong(t -> t.size()).sum();
  }

  /**
   * Fields that were absent, or whose values had no row of their own, among the examples that this
   * instance was given; no part of a snapshot.
   */
  public FieldCounts fieldCounts() {
    return fieldCounts;
  }

  /** Which fields and outcomes it has ever been taught. */
  public Evidence evidence() {
    return evidence;
  }

  /** The examples of the last batch whose impressions are scored. */
  public List<Scored> scored() {
    return scored;
  }

  /** How good the predictions have been. */
  public ProgressiveScores scores() {
    return scores;
  }

  /** Quality of this model's predictions, and the slopes by which these are shrunk, per task. */
  public Map<String, Map<String, Double>> quality() {
    Map<String, Map<String, Double>> quality = scores.quality();
    List<Shrinkage> shrinkages = shrinkages();
    for (int task = 0; task < shrinkages.size(); task++) {
      if (task != core) {
        String name = context.tasks().get(task).name();
        quality.get(name).put("slope", shrinkages.get(task).slope());
      }
    }
    return quality;
  }

  /** Writes everything but the pending batch, which its owner keeps. */
  void write(DataOutput out) throws IOException {
    out.writeLong(steps);
    out.writeLong(examples);
    out.writeLong(newestEvent);
    out.writeBoolean(scores.sawServed());
    out.writeBoolean(scale != null);
    if (scale != null) {
      scale.write(out);
    }
    learner.write(out, settings.dense());
    scores.write(out);
    out.writeBoolean(heads != null);
    if (heads != null) {
      out.writeLong(boundedWeights);
      heads.write(out);
    }
    scores.writeByValue(out);
    out.writeInt(skippedInARow);
    incidents.write(out);
    evidence.write(out);
    rates.write(out);
    numbers.write(out);
    shrinkages.write(out);
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
    readScale(in, version);
    List<String> anew = new ArrayList<>(learner.read(in, version, settings));
    scores.read(in, sawServed, version);
    boolean had = version >= TrainerSnapshot.WITH_HEADS && in.readBoolean();
    if (had && heads == null) {
      throw new IOException(
          "the checkpoint of model "
              + context.model().name()
              + " has delay heads, its tasks' corrections now ask for none"
              + ": give the model a new name to start it afresh");
    }
    if (had) {
      boundedWeights = in.readLong();
      anew.addAll(heads.read(in, version));
    } else if (heads != null) {
      LOGGER.info(
          "Model {}: a correction now asks for delay heads, which begin as if nothing were late",
          context.model().name());
    }
    if (version >= TrainerSnapshot.WITH_VALUES) {
      scores.readByValue(in);
    }
    if (version >= TrainerSnapshot.WITH_SCALES) {
      skippedInARow = in.readInt();
      incidents.read(in);
    }
    for (String what : anew) {
      LOGGER.warn("A changed setting: {}", what);
      incidents.add(Kind.RESTARTED, 1);
      incidents.sample(Kind.RESTARTED, what);
    }
    if (version >= TrainerSnapshot.WITH_EVIDENCE) {
      evidence.read(in);
    } else {
      evidence.readOfBefore(examples);
    }
    if (version >= TrainerSnapshot.WITH_RATES) {
      rates.read(in);
    } else {
      rates.readOfBefore(steps);
    }
    if (version >= TrainerSnapshot.WITH_NUMBERS) {
      numbers.read(in);
    }
    if (version >= TrainerSnapshot.WITH_SHRINKAGES) {
      shrinkages.read(in);
    }
    network.numbers(numbers.scales());
  }

  private void readScale(DataInput in, int version) throws IOException {
    if (version < TrainerSnapshot.WITH_SCALES) {
      // There were three numbers even without a core task.
      TargetScale of =
          scale == null ? new TargetScale(Task.Transform.NONE, AmountRange.LEARNT) : scale;
      of.readOfBefore(in);
    } else if (in.readBoolean()) {
      scale.read(in);
    }
  }

  @Override
  public void close() {
    learner.close();
    if (heads != null) {
      heads.close();
    }
  }
}
