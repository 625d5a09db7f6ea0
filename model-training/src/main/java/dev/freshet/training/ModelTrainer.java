package dev.freshet.training;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.features.NumberScale;
import dev.freshet.core.features.NumberStatistics;
import dev.freshet.core.labels.AmountRange;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.correction.NegativeSampling;
import dev.freshet.core.models.torch.TorchDevice;
import dev.freshet.core.network.AmountScale;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.network.Network;
import dev.freshet.core.network.ServedScale;
import dev.freshet.core.network.Shrinkage;
import dev.freshet.core.pipeline.TrainingSettings;
import dev.freshet.training.evaluation.Quality;
import dev.freshet.training.rows.EmbeddingTable;
import dev.freshet.training.rows.RowLog;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Learns one model from a stream of examples: predicts a batch, scores what is settled, then
 * learns. The same examples in the same batches give the same bytes; {@link TrainerSnapshot} saves
 * and restores all of it. One thread at a time.
 */
public final class ModelTrainer implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(ModelTrainer.class);

  private final ModelContext context;
  private final TrainingSettings settings;
  private final Learner learner;
  private final Network network;
  private final NegativeSampling sampling;
  private final ProgressiveScores scores;
  private final TrainingIncidents incidents = new TrainingIncidents();
  private final BatchFaults faults;
  private final BatchTargets targets;
  private final BatchAmounts amounts;
  private final BatchScorer scorer;
  private final BatchStep step;
  private final @Nullable DelayHeads heads;
  private final FieldCounts fieldCounts;
  private final Evidence evidence;
  private final BaseRates rates;
  private final Shrinkages shrinkages;
  private final NumberStatistics numbers;

  private long steps;
  private long examples;
  private long onlyScored;

  /** Null without a core task. */
  private @Nullable TargetScale scale;

  private long newestEvent = Long.MIN_VALUE;
  private List<ScoredExample> scored = List.of();

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
    learner =
        new Learner(context, settings.seed(), settings.embeddings(), device, settings.trainers());
    network = learner.network();
    Bfloat16.warnIfSlow(context.model().name(), settings.products(), device);
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
    scale = TargetScale.of(context);
    sampling = settings.sampling();
    faults = new BatchFaults(context, settings, incidents);
    targets = new BatchTargets(context, settings, heads, rates, incidents);
    step = new BatchStep(learner, settings, targets, rates, faults);
    amounts = new BatchAmounts(context, targets, sampling, incidents);
    scores = new ProgressiveScores(context.tasks(), context.schema(), settings.scoring());
    scorer = new BatchScorer(context, sampling, scores, rates, shrinkages, incidents);
  }

  /**
   * One round on a batch. If its loss or a gradient is not finite or too large, it is predicted,
   * scored and counted, but leaves weights, optimiser, embedding rows and scales as they were, and
   * {@link #leftOut} says why.
   *
   * @return the predictions made before learning: [example][task], in the model's scale; null for
   *     an example that is only scored, against what was predicted for its impression before
   * @throws TrainingDivergedException if this is one of too many such batches in a row
   */
  public float[][] process(List<EncodedExample> batch) {
    faults.begin();
    if (batch.isEmpty()) {
      return new float[0][];
    }
    numbers.see(batch);
    network.numbers(numbers.scales());
    batch.forEach(example -> newestEvent = Math.max(newestEvent, example.eventTime()));
    WorkedBatch worked =
        WorkedBatch.of(batch, example -> !targets.leftOut(example) || scores.asks(example));
    onlyScored += worked.others();
    worked.gather(network, batch, targets::learnt, fieldCounts);
    BatchScorer.Before before = scorer.before(scale, steps);
    TargetScale next = scale == null ? null : amounts.seen(batch, scale);
    List<EncodedExample> plausible =
        next == null ? batch : amounts.plausible(batch, next.current());
    List<EncodedExample> taught = worked.of(plausible);
    examples += batch.size();
    if (heads != null) {
      faults.ofHeads(steps, heads.process(batch, numbers.scales()), heads.clipped());
    }
    boolean any = taught.stream().anyMatch(targets::learnt);
    float[][] said = any && step.predicts(scale, batch.size()) ? null : worked.predict(network);
    boolean sound = !any || step.take(taught, said, next, batch.size(), examples, steps);
    said = said == null ? step.said() : said;
    float[][] predictions = worked.spread(said);
    scored = scorer.score(plausible, predictions, before);
    if (any && sound) {
      steps++;
      expire();
    }
    if (sound) {
      batch.forEach(example -> evidence.add(example, targets.learnt(example)));
      shrinkages.learn();
    }
    if (sound && next != null) {
      amounts.compare(taught, said, requireNonNull(scale).current(), next);
      scale = next;
    }
    return predictions;
  }

  private void expire() {
    learner.expire(newestEvent);
    if (heads != null) {
      heads.expire(newestEvent);
    }
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
  public @Nullable AmountScale amounts() {
    return scale == null ? null : scale.current();
  }

  /** How numbers are read now, by field. */
  public Map<String, NumberScale> numbers() {
    return numbers.scales();
  }

  /** From what the model says to what is served now. */
  public ServedScale served() {
    return scorer.served(amounts());
  }

  /** The shrinkage by which predictions are served now, per task. */
  public List<Shrinkage> shrinkages() {
    return scorer.shrinkages();
  }

  /** Why the last batch, or the part for delay heads, was not learnt; null if it was. */
  public @Nullable String leftOut() {
    return faults.leftOut();
  }

  /** The labels and batches that were not learnt, or not as they came. */
  public TrainingIncidents incidents() {
    return incidents;
  }

  /** The negative sampling, as manifests tell it. */
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

  /** Examples that this instance was given and left to others like them; no part of a snapshot. */
  public long onlyScored() {
    return onlyScored;
  }

  /** How often a delay correction's weight was more than it may be. */
  public long boundedWeights() {
    return targets.boundedWeights();
  }

  /** Newest event time among the impressions seen, epoch milliseconds. */
  public long newestEvent() {
    return newestEvent;
  }

  /** Loss of each task at the last step. */
  public float[] losses() {
    return step.losses();
  }

  /** Norm of the dense gradient at the last step. */
  public float norm() {
    return step.norm();
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
  public List<ScoredExample> scored() {
    return scored;
  }

  /** How good the predictions have been. */
  public ProgressiveScores scores() {
    return scores;
  }

  /** Quality of this model's predictions, and the slopes by which these are shrunk, per task. */
  public Quality quality() {
    return scorer.quality();
  }

  /** The rows of all embedding tables, in a log; whoever asks has to keep it. */
  public RowLog rowLog() {
    List<EmbeddingTable> tables = new ArrayList<>(learner.tables());
    if (heads != null) {
      tables.addAll(heads.tables());
    }
    return new RowLog(tables);
  }

  /**
   * Writes everything but the pending batch, which its owner keeps.
   *
   * @param rows false leaves them to {@link #rowLog}
   */
  void write(DataOutput out, boolean rows) throws IOException {
    out.writeLong(steps);
    out.writeLong(examples);
    out.writeLong(newestEvent);
    out.writeBoolean(scores.sawServed());
    out.writeBoolean(scale != null);
    if (scale != null) {
      scale.write(out);
    }
    learner.write(out, settings.dense(), rows);
    scores.write(out);
    out.writeBoolean(heads != null);
    if (heads != null) {
      out.writeLong(targets.boundedWeights());
      heads.write(out, rows);
    }
    scores.writeByValue(out);
    out.writeInt(faults.inARow());
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
   * @param rows true if they are in it
   */
  void read(DataInput in, int version, boolean rows) throws IOException {
    steps = in.readLong();
    examples = in.readLong();
    newestEvent = in.readLong();
    boolean sawServed = in.readBoolean();
    readScale(in, version);
    List<String> anew = new ArrayList<>(learner.read(in, version, rows, settings));
    scores.read(in, sawServed, version);
    boolean had = version >= TrainerSnapshot.WITH_HEADS && in.readBoolean();
    if (had && heads != null) {
      targets.boundedWeights(in.readLong());
      anew.addAll(heads.read(in, version, rows));
    } else if (heads != null) {
      LOGGER.info(
          "Model {}: a correction now asks for delay heads, which begin as if nothing were late",
          context.model().name());
    } else if (had) {
      throw new IOException(
          "the checkpoint of model "
              + context.model().name()
              + " has delay heads, its tasks' corrections now ask for none"
              + ": give the model a new name to start it afresh");
    }
    if (version >= TrainerSnapshot.WITH_VALUES) {
      scores.readByValue(in);
    }
    if (version >= TrainerSnapshot.WITH_SCALES) {
      faults.inARow(in.readInt());
      incidents.read(in);
    }
    incidents.restarted(anew);
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
      requireNonNull(scale).read(in);
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
