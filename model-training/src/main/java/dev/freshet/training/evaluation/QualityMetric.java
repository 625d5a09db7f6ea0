package dev.freshet.training.evaluation;

import dev.freshet.core.labels.TaskKind;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * The menu of metrics of predictions whose labels are final, in the order of reports. One more is
 * one more constant, of a {@link Statistic} that is kept already or of a new one; reports, gauges,
 * checkpoints and reference pages follow.
 *
 * <p>Gini and deciles as in the evaluation of ZILN (Wang et al. 2019); normalised entropy as in He
 * et al. (2014); that {@code nrmse} and {@code nmae} have two normalisers is our reading of
 * HTLNet's tables.
 */
public enum QualityMetric {
  AUC(
      "auc",
      Better.HIGHER,
      "0 to 1",
      "Area under the ROC curve: chance that a positive scores above a negative.",
      ScoreHistogram.TYPE,
      ScoreHistogram::auc,
      TaskKind.BINARY),
  PR_AUC(
      "prAuc",
      Better.HIGHER,
      "0 to 1",
      "Average precision, the area under precision by recall.",
      ScoreHistogram.TYPE,
      ScoreHistogram::averagePrecision,
      TaskKind.BINARY),
  LOG_LOSS(
      "logLoss",
      Better.LOWER,
      "nats",
      "Mean of -log of the probability given to what happened.",
      LogLoss.TYPE,
      LogLoss::mean,
      TaskKind.BINARY),
  NORMALIZED_ENTROPY(
      "normalizedEntropy",
      Better.LOWER,
      "ratio",
      "Log loss by that of the base rate: below 1 is better than knowing only how often.",
      LogLoss.TYPE,
      LogLoss::normalizedEntropy,
      TaskKind.BINARY),
  NRMSE(
      "nrmse",
      Better.LOWER,
      "ratio",
      "Root mean square error of an amount by the standard deviation of the labels.",
      AmountErrors.TYPE,
      AmountErrors::nrmse,
      TaskKind.CONTINUOUS),
  NMAE(
      "nmae",
      Better.LOWER,
      "ratio",
      "Mean absolute error of an amount by the mean absolute label.",
      AmountErrors.TYPE,
      AmountErrors::nmae,
      TaskKind.CONTINUOUS),
  GINI(
      "gini",
      Better.HIGHER,
      "-1 to 1",
      "Normalised Gini of an amount: 1 ranks perfectly, 0 not at all.",
      AmountSample.TYPE,
      AmountSample::gini,
      TaskKind.CONTINUOUS),
  SPEARMAN(
      "spearman",
      Better.HIGHER,
      "-1 to 1",
      "Rank correlation of predicted and real amounts.",
      AmountSample.TYPE,
      AmountSample::spearman,
      TaskKind.CONTINUOUS),
  DECILE_MAPE(
      "decileMape",
      Better.LOWER,
      "ratio",
      "How far the mean prediction of each tenth, by prediction, is off its mean label.",
      AmountSample.TYPE,
      AmountSample::decileMape,
      TaskKind.CONTINUOUS),
  CALIBRATION(
      "calibration",
      Better.NEAR_ONE,
      "ratio",
      "Sum of predictions by sum of labels (PCOC): 1 is right, 2 is twice too much.",
      LabelTotals.TYPE,
      LabelTotals::calibration,
      TaskKind.BINARY,
      TaskKind.CONTINUOUS),
  /** Of the model, not of its scored labels: the trainer adds it. */
  SLOPE(
      "slope",
      Better.NEITHER,
      "ratio",
      "By how much predictions of a binary task should be spread: below 1 they are too sure.",
      List.of(),
      labels -> Double.NaN,
      TaskKind.BINARY),
  RATE(
      "rate",
      Better.NEITHER,
      "0 to 1",
      "Share of positives of a binary task.",
      LabelTotals.TYPE,
      LabelTotals::mean,
      TaskKind.BINARY),
  MAE(
      "mae",
      Better.LOWER,
      "of the amount",
      "Mean absolute error of an amount.",
      AmountErrors.TYPE,
      AmountErrors::mae,
      TaskKind.CONTINUOUS),
  RMSE(
      "rmse",
      Better.LOWER,
      "of the amount",
      "Root mean square error of an amount.",
      AmountErrors.TYPE,
      AmountErrors::rmse,
      TaskKind.CONTINUOUS),
  MEAN(
      "mean",
      Better.NEITHER,
      "of the amount",
      "Mean label of an amount.",
      LabelTotals.TYPE,
      LabelTotals::mean,
      TaskKind.CONTINUOUS),
  AT_BASE_RATE(
      "atBaseRate",
      Better.NEITHER,
      "0 to 1",
      "Share of the examples that are scored at the base rate: predicted before anything was known.",
      List.of(AtBaseRate.TYPE),
      labels -> labels.statistic(AtBaseRate.TYPE).share(labels.count()),
      TaskKind.BINARY,
      TaskKind.CONTINUOUS),
  EXAMPLES(
      "examples",
      Better.NEITHER,
      "examples",
      "Scored examples that a task's figures are of.",
      List.of(),
      QualityAccumulator::count,
      TaskKind.BINARY,
      TaskKind.CONTINUOUS);

  /** Which of two values is the better one. */
  public enum Better {
    HIGHER,
    LOWER,
    NEAR_ONE,
    /** The metric describes the labels or the model, and does not judge. */
    NEITHER
  }

  private final String key;
  private final Better better;
  private final String unit;
  private final String meaning;
  private final List<TaskKind> kinds;

  /** What it needs to be kept of the labels. */
  private final List<Statistic.Type<?>> statistics;

  private final ToDoubleFunction<QualityAccumulator> value;

  <S extends Statistic<S>> QualityMetric(
      String key,
      Better better,
      String unit,
      String meaning,
      Statistic.Type<S> type,
      ToDoubleFunction<S> value,
      TaskKind... kinds) {
    this(
        key,
        better,
        unit,
        meaning,
        List.of(type),
        labels -> value.applyAsDouble(labels.statistic(type)),
        kinds);
  }

  QualityMetric(
      String key,
      Better better,
      String unit,
      String meaning,
      List<Statistic.Type<?>> statistics,
      ToDoubleFunction<QualityAccumulator> value,
      TaskKind... kinds) {
    this.key = key;
    this.better = better;
    this.unit = unit;
    this.meaning = meaning;
    this.statistics = statistics;
    this.value = value;
    this.kinds = List.of(kinds);
  }

  /** The name in reports, manifests, on the metrics topic and in Flink. */
  public String key() {
    return key;
  }

  public Better better() {
    return better;
  }

  public String unit() {
    return unit;
  }

  /** Meaning, for reference pages. */
  public String meaning() {
    return meaning;
  }

  /** True if it is measured of tasks of this kind. */
  public boolean of(TaskKind kind) {
    return kinds.contains(kind);
  }

  /** All that are told of tasks of one kind, in the order of reports. */
  public static List<QualityMetric> all(TaskKind kind) {
    return Arrays.stream(values()).filter(metric -> metric.of(kind)).toList();
  }

  /** The one by which versions of a model are judged: comparable between tasks, lower is better. */
  public static QualityMetric judging(TaskKind kind) {
    return kind == TaskKind.BINARY ? NORMALIZED_ENTROPY : NRMSE;
  }

  /** All that have to be kept for tasks of one kind. */
  static Stream<Statistic.Type<?>> statistics(TaskKind kind) {
    return all(kind).stream().flatMap(metric -> metric.statistics.stream()).distinct();
  }

  /** Its value over the labels; NaN where it is not defined, such as AUC of one class. */
  double value(QualityAccumulator labels) {
    return value.applyAsDouble(labels);
  }
}
