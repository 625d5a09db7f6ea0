package dev.freshet.job.metrics;

import static dev.freshet.job.metrics.MetricLabel.BUCKET;
import static dev.freshet.job.metrics.MetricLabel.FIELD;
import static dev.freshet.job.metrics.MetricLabel.MODEL;
import static dev.freshet.job.metrics.MetricLabel.TASK;
import static dev.freshet.job.metrics.MetricStep.TRAINING;

import java.util.List;

/**
 * Metrics of training a model and publishing its versions; those of its quality are {@link
 * QualityMetrics}.
 */
public final class TrainingMetrics {

  private static final MetricMenu MENU = new MetricMenu();

  public static final JobMetric STEPS =
      MENU.gauge(TRAINING, "steps", "steps", "Optimiser steps since the model began.", MODEL);

  public static final JobMetric EXAMPLES_SEEN =
      MENU.gauge(
          TRAINING, "examplesSeen", "examples", "Examples seen since the model began.", MODEL);

  public static final JobMetric ONLY_SCORED =
      MENU.gauge(
          TRAINING,
          "onlyScored",
          "examples",
          "Examples that were scored and left to others like them to be learnt"
              + " (`training.unreached-sampling`), since the trainer started.",
          MODEL);

  public static final JobMetric EXAMPLES_PER_SECOND =
      MENU.gauge(
          TRAINING, "examplesPerSecond", "examples/s", "Over the last second or more.", MODEL);

  public static final JobMetric STEP_MICROS =
      MENU.histogram(
          TRAINING,
          "stepMicros",
          "µs",
          "Times of the last rounds of predict, score and learn.",
          MODEL);

  public static final JobMetric EMBEDDING_ROWS =
      MENU.gauge(TRAINING, "embeddingRows", "rows", "Rows of all embedding tables.", MODEL);

  public static final JobMetric GRADIENT_NORM =
      MENU.gauge(
          TRAINING, "gradientNorm", "norm", "Norm of the dense gradient at the last step.", MODEL);

  public static final JobMetric BOUNDED_WEIGHTS =
      MENU.gauge(
          TRAINING,
          "boundedWeights",
          "labels",
          "How often a delay correction's weight was more than `labels.max-weight`.",
          MODEL);

  public static final JobMetric NEWEST_EVENT =
      MENU.gauge(
          TRAINING, "newestEventMillis", "ms since 1970", "Time of the newest event seen.", MODEL);

  public static final JobMetric LEARNT_FIELDS =
      MENU.gauge(
          TRAINING,
          "fields",
          "examples",
          "Examples in which a feature field was so, since the trainer started: absent, a value without a"
              + " row of its own, a number beyond its bounds.",
          MODEL,
          FIELD,
          MetricLabel.LEARNT);

  public static final JobMetric INCIDENTS =
      MENU.gauge(
          TRAINING,
          "incidents",
          "labels, predictions, batches",
          "Labels, predictions and batches that were not learnt, or not as they came, since the"
              + " model began; [what each"
              + " is](events.md#metrics-records).",
          MODEL,
          MetricLabel.INCIDENT);

  public static final JobMetric LEFT_OUT =
      MENU.counter(
          TRAINING,
          "leftOut",
          "examples",
          "Examples that could not be learnt, and became dead letters.",
          MODEL,
          MetricLabel.LEFT_OUT);

  public static final JobMetric PENDING_SCORES =
      MENU.gauge(
          TRAINING,
          "pendingScores",
          "predictions",
          "Predictions that wait for the last label of their impression; state.",
          MODEL);

  public static final JobMetric SCORED_SHARE =
      MENU.gauge(
          TRAINING,
          "scoredShare",
          "0 to 1",
          "Share of the impressions whose labels are scored.",
          MODEL);

  public static final JobMetric PUBLISHED =
      MENU.gauge(
          TRAINING,
          "versionsPublished",
          "versions",
          "Versions published since the trainer started.",
          MODEL);

  public static final JobMetric PUBLISHED_STEP =
      MENU.gauge(
          TRAINING,
          "lastPublishedStep",
          "steps",
          "Step of the last published version, also after a restart; -1 before the model's first.",
          MODEL);

  public static final JobMetric SECONDS_SINCE_PUBLISHED =
      MENU.gauge(
          TRAINING,
          "secondsSincePublished",
          "s",
          "Since the last version was published, also after a restart; before the model's first version"
              + " since its trainer was first started.",
          MODEL);

  public static final JobMetric VERSION_BYTES =
      MENU.gauge(
          TRAINING,
          "lastVersionBytes",
          "bytes",
          "Payload of the last version; 0 before the first since the trainer started.",
          MODEL);

  public static final JobMetric REFUSED =
      MENU.counter(
          TRAINING,
          "versionsRefused",
          "versions",
          "Versions that the gate held back.",
          MODEL,
          MetricLabel.REFUSED);

  public static final JobMetric FORCED =
      MENU.counter(
          TRAINING,
          "versionsForced",
          "versions",
          "Versions announced although something was wrong, because the one in use was older than"
              + " `publishing.gate.max-age`.",
          MODEL);

  public static final JobMetric PREDICTED =
      MENU.gauge(
          TRAINING,
          "predicted",
          "sum",
          "Sum of predictions for the watched field's values, by how long a value's positives take"
              + " in the mean; only with `training.scoring.watch`.",
          MODEL,
          TASK,
          BUCKET);

  public static final JobMetric HAPPENED =
      MENU.gauge(
          TRAINING,
          "happened",
          "sum",
          "Sum of outcomes of the same. Predicted by happened is the calibration of fast and of slow"
              + " items.",
          MODEL,
          TASK,
          BUCKET);

  public static final JobMetric CALIBRATED_VALUES =
      MENU.gauge(
          TRAINING,
          "calibratedValues",
          "values",
          "Watched values born after the run's first window that became calibrated, by the time from"
              + " their birth until predictions stayed within `tolerance` of outcomes for three windows.",
          MODEL,
          TASK,
          BUCKET);

  public static final JobMetric NEW_VALUES =
      MENU.gauge(
          TRAINING,
          "newValues",
          "values",
          "Watched values born since the run's first window.",
          MODEL);

  private TrainingMetrics() {}

  static List<JobMetric> all() {
    return MENU.all();
  }
}
