package dev.freshet.core.pipeline;

import static dev.freshet.core.settings.InvalidValueException.check;
import static dev.freshet.core.settings.InvalidValueException.within;
import static java.util.Objects.requireNonNull;

import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.correction.NegativeSampling;
import dev.freshet.core.labels.correction.UnreachedSampling;
import dev.freshet.core.settings.EnumNames;
import dev.freshet.core.settings.Option;
import java.io.Serializable;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How every model of the pipeline learns. */
public record TrainingSettings(
    @Option(
            value =
                "Examples in a step; by default it grows from 16 to 1024, a two-hundredth of what"
                    + " was learnt so far",
            fallback = Option.ABSENT)
        @Nullable Integer batch,
    @Option(
            value = "A smaller batch is learnt after this time; 0ms waits for a full one always",
            fallback = "500ms")
        Duration maxWait,
    @Option("The dense weights") Dense dense,
    @Option("The embedding rows") Embeddings embeddings,
    @Option(
            value =
                "Share of negative labels that is learnt, chosen by hash of the impression;"
                    + " probabilities are turned back by their log-odds, here and in replicas",
            fallback = "1.0")
        double negativeSampling,
    @Option(
            value =
                "Share of the records that say nothing but that a step was not reached (no purchase,"
                    + " for there was no click) which is learnt, chosen by hash of the impression;"
                    + " these weigh its inverse, the others are scored only. All are learnt where a"
                    + " task's correction guesses delays",
            fallback = "1.0")
        double unreachedSampling,
    @Option("Labels that the quality metrics are taken over, and when they are predicted")
        Scoring scoring,
    @Option(
            value =
                "A gradient, of the dense weights or of the rows, whose norm is above this is scaled"
                    + " down to it and counted; norms are of the mean over a full batch. None by"
                    + " default",
            fallback = Option.ABSENT)
        @Nullable Double clipNorm,
    @Option(
            value =
                "A batch whose gradient, of the dense weights or of the rows, has a norm above this"
                    + " (of the mean over a full batch, before it is clipped) is left out and"
                    + " counted, as is one whose loss is not finite",
            fallback = "1e6")
        double maxNorm,
    @Option(value = "So many batches in a row that are left out stop the job", fallback = "10")
        int maxSkipped,
    @Option(value = "Seed of start weights and noise", fallback = "1") long seed,
    @Option(
            value =
                "Where the dense weights live and steps are computed: `cpu`; `gpu`, without which a"
                    + " trainer does not start; or `auto`, a GPU where there is one. Rows are always"
                    + " on the host, and what serves is always on the CPU",
            fallback = "auto")
        Device device,
    @Option(
            value =
                "Threads that share each step of a model on the CPU, of every model of the pipeline,"
                    + " and the processors that they keep busy: each works on a part of the batch,"
                    + " the gradients of all parts are added and make one step, so results differ by"
                    + " rounding alone. On a GPU a step is not shared",
            fallback = "1")
        int trainers,
    @Option(
            value =
                "Numbers in which a step multiplies by the weights of hidden layers: `float32`, or"
                    + " `bfloat16`, which is faster where a processor has AVX512-BF16 or AMX, and"
                    + " slower elsewhere; weights, sums, outputs and all that is served stay"
                    + " float32",
            fallback = "float32")
        Products products)
    implements Serializable {

  private static final int SMALLEST_BATCH = 16;
  private static final int LARGEST_BATCH = 1024;
  private static final int GROWTH = 200;

  /** Devices that compute the steps. */
  public enum Device {
    AUTO,
    CPU,
    GPU
  }

  /** Numbers that are multiplied. */
  public enum Products {
    FLOAT32,
    BFLOAT16
  }

  /** Optimiser of the dense weights. */
  public record Dense(
      @Option(
              value =
                  "Optimiser: `adam`, `adagrad`, or `sgd`, whose step is the rate times the mean"
                      + " gradient of a batch",
              fallback = "adam")
          Optimizer optimizer,
      @Option(
              value =
                  "Learning rate; by default 1e-3 for `adam`, 0.01 for `adagrad`, 0.3 for `sgd`",
              fallback = Option.ABSENT)
          @Nullable Double rate,
      @Option(value = "L2 regularisation", fallback = "0") double decay)
      implements Serializable {

    /** The menu. Names are in checkpoints, the order is known to the models' scripts. */
    public enum Optimizer {
      ADAM(1e-3),
      ADAGRAD(0.01),
      SGD(0.3);

      private final double rate;

      Optimizer(double rate) {
        this.rate = rate;
      }

      /** As in the pipeline file. */
      @Override
      public String toString() {
        return EnumNames.of(this);
      }
    }

    public Dense {
      check(rate == null || rate > 0, "rate", rate, "above 0");
      rate = rate != null && rate == optimizer.rate ? null : rate;
      check(decay >= 0, "decay", decay, "0 or more");
    }

    /** The rate, or the optimiser's own if none is given. */
    public double learningRate() {
      return rate == null ? optimizer.rate : rate;
    }
  }

  /** Optimiser of the embedding rows. */
  public record Embeddings(
      @Option(
              value =
                  "Optimiser of the batch's rows: `adagrad` with one accumulator a row,"
                      + " `adagrad-elementwise`, `adam` or `ftrl`; rows that are not in a batch stay"
                      + " as they are, with all that is remembered of them",
              fallback = "adagrad")
          RowOptimizers optimizer,
      @Option(
              value =
                  "Learning rate; by default 0.05 for `adagrad`, 0.1 for `adagrad-elementwise` and `ftrl`, 0.02 for `adam`",
              fallback = Option.ABSENT)
          @Nullable Double rate,
      @Option(
              value =
                  "Term that is added to all that an optimiser knows of squared gradients, of one"
                      + " example: the more, the smaller are a row's first steps",
              fallback = "0.01")
          double start,
      @Option(
              value =
                  "`ftrl` alone: a weight is zero until the gradients of all examples so far add up"
                      + " to more than this",
              fallback = "0")
          double l1,
      @Option(
              value =
                  "`ftrl` alone: L2 regularisation of the sum of losses of all examples; by default"
                      + " 1",
              fallback = Option.ABSENT)
          @Nullable Double l2,
      @Option(
              value =
                  "Learning rate of the first-order weights, one for each value and binary task"
                      + " beside the embedding, once a task has seen outcomes enough: n / (n + 20)"
                      + " of it after n of the rarer kind; 0 leaves them at zero",
              fallback = "0.3")
          double firstOrder)
      implements Serializable {

    private static final double L2 = 1;

    public Embeddings {
      check(rate == null || rate > 0, "rate", rate, "above 0");
      rate = rate != null && rate == optimizer.rate() ? null : rate;
      check(start > 0, "start", start, "above 0");
      check(l1 >= 0, "l1", l1, "0 or more");
      check(l2 == null || l2 >= 0, "l2", l2, "0 or more");
      boolean ftrl = optimizer == RowOptimizers.FTRL;
      check(ftrl || l1 == 0, "l1", l1, "0, but for the optimizer ftrl");
      check(ftrl || l2 == null, "l2", l2, "nothing, but for the optimizer ftrl");
      l2 = l2 != null && l2 == L2 ? null : l2;
      check(firstOrder >= 0, "first-order", firstOrder, "0 or more");
    }

    /** The rate, or the optimiser's own if none is given. */
    public double learningRate() {
      return rate == null ? optimizer.rate() : rate;
    }

    /** FTRL's {@code l2}, given or not. */
    public double ridge() {
      return l2 == null ? L2 : l2;
    }
  }

  /** Which values are watched one by one, and when a new one is calibrated. */
  public record Watch(
      @Option(
              value =
                  "The field whose values are watched, an item's id for example; none if absent",
              fallback = Option.ABSENT)
          @Nullable String field,
      @Option(value = "Shortest length of a value's window", fallback = "1h") Duration window,
      @Option(
              value =
                  "How far predictions may be from outcomes, as a ratio, in three windows in a row",
              fallback = "0.2")
          double tolerance,
      @Option(
              value = "Least sum of predictions or outcomes in a window: noise decides below it",
              fallback = "10")
          double outcomes,
      @Option(value = "Most values that are remembered", fallback = "100000") int values)
      implements Serializable {

    public Watch {
      check(tolerance > 0 && tolerance < 1, "tolerance", tolerance, "between 0 and 1");
      check(outcomes >= 0, "outcomes", outcomes, "0 or more");
      check(values > 0, "values", values, "above 0");
    }
  }

  /** Progressive validation: predict, score, then learn. */
  public record Scoring(
      @Option(
              value =
                  "When the prediction is made that all labels of an impression are scored against:"
                      + " `label`, just before the first of them is learnt, or `impression`, when"
                      + " the impression came; by default `impression` where a task's correction"
                      + " learns before its label is final, and `label` elsewhere",
              fallback = Option.ABSENT)
          @Nullable At at,
      @Option(value = "Newest scored examples that metrics cover; 0 for all", fallback = "200000")
          int window,
      @Option(
              value =
                  "Most predictions that wait for the last label of their impression, some 50 bytes"
                      + " each; if there would be more, half of all impressions are not scored any"
                      + " more, chosen by hash",
              fallback = "1000000")
          int pending,
      @Option(
              value = "Only impressions from this day on are scored (UTC)",
              fallback = Option.ABSENT)
          @Nullable LocalDate from,
      @Option(value = "Only impressions up to this day are scored (UTC)", fallback = Option.ABSENT)
          @Nullable LocalDate to,
      @Option("Calibration value by value of one field: by delay, and how soon new ones have it")
          Watch watch)
      implements Serializable {

    /** Moment of the prediction. */
    public enum At {
      LABEL,
      IMPRESSION
    }

    public Scoring {
      check(window >= 0, "window", window, "0 or more");
      check(pending >= 1, "pending", pending, "1 or more");
      check(
          from == null || to == null || !to.isBefore(from),
          "to",
          to,
          "a day that is not before `from`");
    }

    Scoring at(At moment) {
      return new Scoring(moment, window, pending, from, to, watch);
    }
  }

  /**
   * The same with what is open decided for a chain of tasks.
   *
   * @throws dev.freshet.core.settings.InvalidValueException if a model would be judged on labels
   *     that it has learnt from
   */
  public TrainingSettings resolved(List<Task> tasks) {
    boolean early =
        tasks.stream().anyMatch(task -> requireNonNull(task.correction()).learnsEarly());
    Scoring.At at = scoring.at();
    check(
        !early || at != Scoring.At.LABEL,
        "scoring.at",
        "label",
        "impression, where a task's correction learns before its label is final");
    Scoring.At usual = early ? Scoring.At.IMPRESSION : Scoring.At.LABEL;
    Scoring decided = within("scoring", () -> scoring.at(at == null ? usual : at));
    return with(decided, seed, device);
  }

  private TrainingSettings with(Scoring scoring, long seed, Device device) {
    return new TrainingSettings(
        batch,
        maxWait,
        dense,
        embeddings,
        negativeSampling,
        unreachedSampling,
        scoring,
        clipNorm,
        maxNorm,
        maxSkipped,
        seed,
        device,
        trainers,
        products);
  }

  /**
   * Examples in the next step: few at first, when each still says much, more when it is throughput
   * that counts.
   *
   * @param examples that a model was taught so far
   */
  public int batchAfter(long examples) {
    return batch != null
        ? batch
        : (int) Math.min(LARGEST_BATCH, Math.max(SMALLEST_BATCH, examples / GROWTH));
  }

  /** The size that {@link #batchAfter} comes to. */
  public int largestBatch() {
    return batch != null ? batch : LARGEST_BATCH;
  }

  /** The negative sampling, by {@link #negativeSampling}. */
  public NegativeSampling sampling() {
    return new NegativeSampling(negativeSampling);
  }

  /** The sampling of what was not reached, by {@link #unreachedSampling}. */
  public UnreachedSampling unreached() {
    return new UnreachedSampling(unreachedSampling);
  }

  /** The same with another seed. */
  public TrainingSettings withSeed(long other) {
    return with(scoring, other, device);
  }

  /** The same on another device. */
  public TrainingSettings withDevice(Device other) {
    return with(scoring, seed, other);
  }

  public TrainingSettings {
    check(batch == null || batch >= 1 && batch <= 65_536, "batch", batch, "1 to 65536");
    new NegativeSampling(negativeSampling);
    new UnreachedSampling(unreachedSampling);
    check(clipNorm == null || clipNorm > 0, "clip-norm", clipNorm, "above 0");
    check(maxNorm > 0, "max-norm", maxNorm, "above 0");
    check(maxSkipped >= 1, "max-skipped", maxSkipped, "1 or more");
    check(trainers >= 1 && trainers <= 256, "trainers", trainers, "1 to 256");
  }
}
