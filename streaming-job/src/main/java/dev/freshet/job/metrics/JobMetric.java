package dev.freshet.job.metrics;

import static dev.freshet.job.metrics.MetricLabel.BUCKET;
import static dev.freshet.job.metrics.MetricLabel.FIELD;
import static dev.freshet.job.metrics.MetricLabel.MODEL;
import static dev.freshet.job.metrics.MetricLabel.TASK;
import static dev.freshet.job.metrics.MetricStep.COUNT;
import static dev.freshet.job.metrics.MetricStep.COUNT_JOIN;
import static dev.freshet.job.metrics.MetricStep.FEATURES;
import static dev.freshet.job.metrics.MetricStep.LABELS;
import static dev.freshet.job.metrics.MetricStep.PARSER;
import static dev.freshet.job.metrics.MetricStep.SINK;
import static dev.freshet.job.metrics.MetricStep.SOURCE;
import static dev.freshet.job.metrics.MetricStep.SPLIT;
import static dev.freshet.job.metrics.MetricStep.TRAINING;

import java.util.ArrayList;
import java.util.List;

/**
 * The menu of the job's own metrics: none is registered that is not here, and {@code
 * docs/metrics.md} is made from it. All values are numbers; what is not defined yet is NaN. What
 * tells series apart is a label, never part of a name. Names are public: dashboards and alert rules
 * are written by them.
 */
public enum JobMetric {
  ACCEPTED(SPLIT, Type.COUNTER, "accepted", "messages", "Messages that became events."),
  REJECTED(
      SPLIT,
      Type.COUNTER,
      "rejected",
      "messages",
      "Messages that are no events, and became dead letters.",
      MetricLabel.REJECTED),
  IDLE_PARTITIONS(
      SOURCE,
      Type.GAUGE,
      "idlePartitions",
      "partitions",
      "Partitions that are read to their ends and silent for `labels.idle-after`, so that they do not"
          + " hold the watermark back."),
  JUMPS(
      SOURCE,
      Type.COUNTER,
      "jumps",
      "events",
      "Events too far ahead of their partition to move its time alone."),
  SENT_FIELDS(
      PARSER,
      Type.GAUGE,
      "fields",
      "impressions",
      "Impressions in which a feature field was so, of those that this task has read.",
      FIELD,
      MetricLabel.SENT),
  TRUNCATED(
      SINK,
      Type.COUNTER,
      "truncated",
      "messages",
      "Messages that were larger than their topic takes, and were cut or left out."),

  COUNTED(COUNT_JOIN, Type.COUNTER, "counted", "events", "Events that count."),
  MISSED(
      COUNT_JOIN,
      Type.COUNTER,
      "missed",
      "events",
      "Events that do not count: no impression came in time, or they were outside their window.",
      MetricLabel.MISSED),
  COUNTED_IMPRESSIONS(
      COUNT_JOIN,
      Type.GAUGE,
      "countedImpressions",
      "impressions",
      "Impressions that are remembered so that their feedback counts; state."),
  COUNTED_VALUES(
      COUNT,
      Type.GAUGE,
      "countedValues",
      "values",
      "Values of the field whose counts are above 0; state.",
      FIELD),
  WAITING_IMPRESSIONS(
      COUNT,
      Type.GAUGE,
      "waitingImpressions",
      "impressions",
      "Impressions that wait for the watermark to be told their counts; state.",
      FIELD),
  LATE_IMPRESSIONS(
      COUNT,
      Type.GAUGE,
      "lateImpressions",
      "impressions",
      "Impressions that came behind the watermark, and were told no counts.",
      FIELD),
  LATE_EVENTS(
      COUNT,
      Type.COUNTER,
      "lateEvents",
      "events",
      "Events that came behind the watermark, and count from then on.",
      FIELD),
  BROUGHT(
      COUNT,
      Type.COUNTER,
      "brought",
      "impressions",
      "Impressions that brought all their counts along.",
      FIELD),

  EXAMPLES(LABELS, Type.COUNTER, "examples", "examples", "Examples that left the join."),
  DROPPED(
      LABELS,
      Type.COUNTER,
      "dropped",
      "events",
      "Events that have no part in any label, and became dead letters.",
      MetricLabel.DROPPED),
  SKEWED(
      LABELS,
      Type.GAUGE,
      "skewed",
      "events",
      "Events that counted at their parent, because by their own clocks they were before it, by up to"
          + " `labels.clock-skew`; since the job's first start."),
  DEADLINES(
      LABELS,
      Type.GAUGE,
      "deadlines",
      "impressions",
      "Impressions by what became of their own deadlines, since the job's first start; only of tasks"
          + " with a `deadline`.",
      TASK,
      MetricLabel.USE),
  PENDING_IMPRESSIONS(
      LABELS,
      Type.GAUGE,
      "pendingImpressions",
      "impressions",
      "Impressions, and feedback without one, that wait in keyed state."),
  STATE_BYTES_PER_IMPRESSION(
      LABELS,
      Type.GAUGE,
      "stateBytesPerImpression",
      "bytes",
      "Mean size of one such value in state, without key, timer and what the backend adds."),
  SINCE_PARENT(
      LABELS,
      Type.COUNTER,
      "sinceParent",
      "labels",
      "Settled labels by the delay from the parent's event (click to purchase) to the first of their"
          + " own.",
      TASK,
      BUCKET),
  SINCE_IMPRESSION(
      LABELS,
      Type.COUNTER,
      "sinceImpression",
      "labels",
      "Settled labels by the delay from the impression.",
      TASK,
      BUCKET),
  LATE(
      LABELS,
      Type.COUNTER,
      "late",
      "labels",
      "Settled yeses that came after the correction's waiting time.",
      TASK),
  LOST(
      LABELS,
      Type.COUNTER,
      "lost",
      "events",
      "Events that came after their window, and are in no label.",
      TASK),
  SHARE_LATE(
      LABELS,
      Type.GAUGE,
      "shareLate",
      "0 to 1",
      "Share of the settled yeses that came late. Each task's is a fair sample of the whole.",
      TASK),
  SHARE_LOST(
      LABELS,
      Type.GAUGE,
      "shareLost",
      "0 to 1",
      "Share of all feedback that was lost. Each task's is a fair sample of the whole.",
      TASK),

  CUT_CROSSES(
      FEATURES,
      Type.GAUGE,
      "cutCrosses",
      "crosses",
      "Crosses of impressions with more values than are crossed."),

  STEPS(TRAINING, Type.GAUGE, "steps", "steps", "Optimiser steps since the model began.", MODEL),
  EXAMPLES_SEEN(
      TRAINING,
      Type.GAUGE,
      "examplesSeen",
      "examples",
      "Examples seen since the model began.",
      MODEL),
  EXAMPLES_PER_SECOND(
      TRAINING,
      Type.GAUGE,
      "examplesPerSecond",
      "examples/s",
      "Over the last second or more.",
      MODEL),
  STEP_MILLIS(
      TRAINING,
      Type.GAUGE,
      "stepMillis",
      "ms",
      "Time of the last round of predict, score and learn.",
      MODEL),
  EMBEDDING_ROWS(
      TRAINING, Type.GAUGE, "embeddingRows", "rows", "Rows of all embedding tables.", MODEL),
  GRADIENT_NORM(
      TRAINING,
      Type.GAUGE,
      "gradientNorm",
      "norm",
      "Norm of the dense gradient at the last step.",
      MODEL),
  BOUNDED_WEIGHTS(
      TRAINING,
      Type.GAUGE,
      "boundedWeights",
      "labels",
      "How often a delay correction's weight was more than `labels.max-weight`.",
      MODEL),
  NEWEST_EVENT(
      TRAINING,
      Type.GAUGE,
      "newestEventMillis",
      "ms since 1970",
      "Time of the newest event seen.",
      MODEL),
  LEARNT_FIELDS(
      TRAINING,
      Type.GAUGE,
      "fields",
      "examples",
      "Examples in which a feature field was so, since the trainer started: absent, a value without a"
          + " row of its own, a number beyond its bounds.",
      MODEL,
      FIELD,
      MetricLabel.LEARNT),
  INCIDENTS(
      TRAINING,
      Type.GAUGE,
      "incidents",
      "labels, predictions, batches",
      "What was not learnt, or not as it came, since the model began; [what each"
          + " is](events.md#metrics-records).",
      MODEL,
      MetricLabel.INCIDENT),
  LEFT_OUT(
      TRAINING,
      Type.COUNTER,
      "leftOut",
      "examples",
      "Examples that could not be learnt, and became dead letters.",
      MODEL,
      MetricLabel.LEFT_OUT),
  PENDING_SCORES(
      TRAINING,
      Type.GAUGE,
      "pendingScores",
      "predictions",
      "Predictions that wait for the last label of their impression; state.",
      MODEL),
  SCORED_SHARE(
      TRAINING,
      Type.GAUGE,
      "scoredShare",
      "0 to 1",
      "Share of the impressions whose labels are scored.",
      MODEL),
  PUBLISHED(
      TRAINING,
      Type.GAUGE,
      "versionsPublished",
      "versions",
      "Versions published since the trainer started.",
      MODEL),
  PUBLISHED_STEP(
      TRAINING,
      Type.GAUGE,
      "lastPublishedStep",
      "steps",
      "Step of the last published version, also after a restart; -1 before the model's first.",
      MODEL),
  SECONDS_SINCE_PUBLISHED(
      TRAINING,
      Type.GAUGE,
      "secondsSincePublished",
      "s",
      "Since the last version was published, also after a restart; before the model's first version"
          + " since its trainer was first started.",
      MODEL),
  VERSION_BYTES(
      TRAINING,
      Type.GAUGE,
      "lastVersionBytes",
      "bytes",
      "Payload of the last version; 0 before the first since the trainer started.",
      MODEL),
  REFUSED(
      TRAINING,
      Type.COUNTER,
      "versionsRefused",
      "versions",
      "Versions that the gate held back.",
      MODEL,
      MetricLabel.REFUSED),
  FORCED(
      TRAINING,
      Type.COUNTER,
      "versionsForced",
      "versions",
      "Versions announced although something was wrong, because the one in use was older than"
          + " `publishing.gate.max-age`.",
      MODEL),

  AUC(
      TRAINING,
      Type.GAUGE,
      "auc",
      "0 to 1",
      "Area under the ROC curve; this and the next of `training.scoring.window` predictions made"
          + " before anything of the impression was learnt.",
      MODEL,
      TASK),
  LOG_LOSS(TRAINING, Type.GAUGE, "logLoss", "nats", "Mean log loss of a binary task.", MODEL, TASK),
  NORMALIZED_ENTROPY(
      TRAINING,
      Type.GAUGE,
      "normalizedEntropy",
      "ratio",
      "Log loss by that of the base rate: below 1 is better than knowing only how often.",
      MODEL,
      TASK),
  CALIBRATION(
      TRAINING,
      Type.GAUGE,
      "calibration",
      "ratio",
      "Sum of predictions by sum of outcomes: 1 is right, 2 is twice too much.",
      MODEL,
      TASK),
  SLOPE(
      TRAINING,
      Type.GAUGE,
      "slope",
      "ratio",
      "By how much predictions of a binary task should be spread: below 1 they are too sure.",
      MODEL,
      TASK),
  SCORED_EXAMPLES(
      TRAINING,
      Type.GAUGE,
      "scoredExamples",
      "examples",
      "Scored examples that a task's figures are of.",
      MODEL,
      TASK),
  NRMSE(
      TRAINING,
      Type.GAUGE,
      "nrmse",
      "ratio",
      "Root mean square error of an amount by its mean.",
      MODEL,
      TASK),
  NMAE(
      TRAINING,
      Type.GAUGE,
      "nmae",
      "ratio",
      "Mean absolute error of an amount by its mean.",
      MODEL,
      TASK),
  GINI(
      TRAINING,
      Type.GAUGE,
      "gini",
      "-1 to 1",
      "Normalised Gini of an amount: 1 ranks perfectly, 0 not at all.",
      MODEL,
      TASK),
  SPEARMAN(
      TRAINING,
      Type.GAUGE,
      "spearman",
      "-1 to 1",
      "Rank correlation of predicted and real amounts.",
      MODEL,
      TASK),

  PREDICTED(
      TRAINING,
      Type.GAUGE,
      "predicted",
      "sum",
      "Sum of predictions for the watched field's values, by how long a value's yeses take in the"
          + " mean; only with `training.scoring.watch`.",
      MODEL,
      TASK,
      BUCKET),
  HAPPENED(
      TRAINING,
      Type.GAUGE,
      "happened",
      "sum",
      "Sum of outcomes of the same. Predicted by happened is the calibration of fast and of slow"
          + " items.",
      MODEL,
      TASK,
      BUCKET),
  CALIBRATED_VALUES(
      TRAINING,
      Type.GAUGE,
      "calibratedValues",
      "values",
      "Watched values born after the run's first window that became calibrated, by the time from"
          + " their birth until predictions stayed within `tolerance` of outcomes for three windows.",
      MODEL,
      TASK,
      BUCKET),
  NEW_VALUES(
      TRAINING,
      Type.GAUGE,
      "newValues",
      "values",
      "Watched values born since the run's first window.",
      MODEL);

  /** How a value moves. */
  public enum Type {
    /** Rises from 0 at the task's start. */
    COUNTER,
    /** Is what it is now. */
    GAUGE
  }

  /** What Flink's Prometheus reporter puts before the name of an operator's metric. */
  public static final String OPERATOR = "flink_taskmanager_job_task_operator_";

  private final MetricStep step;
  private final Type type;
  private final String metric;
  private final String unit;
  private final String meaning;
  private final List<MetricLabel> labels;

  JobMetric(
      MetricStep step,
      Type type,
      String metric,
      String unit,
      String meaning,
      MetricLabel... labels) {
    this.step = step;
    this.type = type;
    this.metric = metric;
    this.unit = unit;
    this.meaning = meaning;
    this.labels = List.of(labels);
  }

  public MetricStep step() {
    return step;
  }

  public Type type() {
    return type;
  }

  /** The last part of its name, by which it is registered. */
  public String metric() {
    return metric;
  }

  public String unit() {
    return unit;
  }

  /** What it says, for the reference page. */
  public String meaning() {
    return meaning;
  }

  /** In the order of its name. */
  public List<MetricLabel> labels() {
    return labels;
  }

  /**
   * As it is shown in Flink's web UI behind number and name of the operator; labels are places for
   * their values: {@code training.model.<model>.steps}.
   */
  public String uiName() {
    List<String> parts = new ArrayList<>(step.groups());
    labels.forEach(label -> parts.addAll(List.of(label.key(), "<" + label.key() + ">")));
    parts.add(metric);
    return String.join(".", parts);
  }

  /** As it is in Prometheus behind {@link #OPERATOR}. */
  public String shortName() {
    List<String> parts = new ArrayList<>(step.groups());
    labels.forEach(label -> parts.add(label.key()));
    parts.add(metric);
    return String.join("_", parts);
  }

  /** As Flink's Prometheus reporter names it; a label's key is part of it, its value is not. */
  public String prometheusName() {
    return OPERATOR + shortName();
  }
}
