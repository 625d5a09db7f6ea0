package dev.freshet.job;

/** Names of the job's own metrics: groups first, then what they hold. All values are numbers. */
public final class MetricNames {

  private MetricNames() {}

  /** Group of the steps behind the sources. */
  public static final String EVENTS = "events";

  /** Counter: messages that became events. */
  public static final String ACCEPTED = "accepted";

  /** Group of counters, one for each reason of rejection. */
  public static final String REJECTED = "rejected";

  /**
   * Gauge of a source: partitions that are read to their ends and silent for {@code
   * labels.idle-after}, so that they do not hold the watermark back.
   */
  public static final String IDLE_PARTITIONS = "idlePartitions";

  /** Counter of a source: events too far ahead of their partition to move its time alone. */
  public static final String JUMPS = "jumps";

  /**
   * Group of feature fields, then the field's name. Of a source: gauges {@code absent}, {@code
   * wrong-type} and {@code number-as-text} of the impressions that this task has read. Of a
   * trainer: gauges {@code absent}, {@code unknown}, a value without a row of its own, and {@code
   * clipped}, a number beyond its field's bounds, of its examples.
   */
  public static final String FIELDS = "fields";

  /** Counter of a sink: messages that were larger than their topic takes, and were cut. */
  public static final String TRUNCATED = "truncated";

  /**
   * Group of the steps that count what happened before impressions; behind it, of those that tell
   * the counts, the name of the field by whose values is counted.
   */
  public static final String COUNTS = "counts";

  /** Counter: events that count. */
  public static final String COUNTED = "counted";

  /** Gauge: impressions that are remembered so that their feedback counts. */
  public static final String COUNTED_IMPRESSIONS = "countedImpressions";

  /** Gauge: values whose counts are above 0. */
  public static final String COUNTED_VALUES = "countedValues";

  /** Gauge: impressions that wait for the watermark to be told their counts. */
  public static final String WAITING_IMPRESSIONS = "waitingImpressions";

  /** Gauge: impressions that came behind the watermark, and were told no counts. */
  public static final String LATE_IMPRESSIONS = "lateImpressions";

  /** Counter: events that came behind the watermark, and count from then on. */
  public static final String LATE_EVENTS = "lateEvents";

  /** Counter: impressions that brought all their counts. */
  public static final String BROUGHT = "brought";

  /** Group of the label join. */
  public static final String LABELS = "labels";

  /** Counter: examples that left the join. */
  public static final String EXAMPLES = "examples";

  /** Group of counters, one for each reason for which an event has no part in a label. */
  public static final String DROPPED = "dropped";

  /**
   * Gauge: events that counted at their parent, because by their own clocks they were before it, by
   * up to {@code labels.clock-skew}; since the job's first start.
   */
  public static final String SKEWED = "skewed";

  /**
   * Group, then the task's name: gauges of impressions by what became of their own deadlines, since
   * the job's first start.
   */
  public static final String DEADLINES = "deadlines";

  /** Gauge: impressions (and feedback without one) that wait in keyed state. */
  public static final String PENDING_IMPRESSIONS = "pendingImpressions";

  /** Gauge: mean bytes of one such value in state, without key, timer and the backend's own. */
  public static final String STATE_BYTES_PER_IMPRESSION = "stateBytesPerImpression";

  /** Group of each task's counters of how long its feedback took, one for each bucket. */
  public static final String DELAYS = "delays";

  /** The same buckets, from the impression instead of the parent's event. */
  public static final String SINCE_IMPRESSION = "sinceImpression";

  /** Counter of a task: settled yeses that came after the correction's waiting time. */
  public static final String LATE = "late";

  /** Counter of a task: events that came after their window, and are in no label. */
  public static final String LOST = "lost";

  /** Gauge of a task: share of the settled yeses that came late. */
  public static final String SHARE_LATE = "shareLate";

  /** Gauge of a task: share of all feedback that was lost. */
  public static final String SHARE_LOST = "shareLost";

  /** Group of the step that makes keys of features. */
  public static final String FEATURES = "features";

  /** Gauge: crosses of impressions with more values than are crossed. */
  public static final String CUT_CROSSES = "cutCrosses";

  /** Group of a trainer, followed by the model's name. */
  public static final String TRAINING = "training";

  /** Gauge: optimiser steps taken. */
  public static final String STEPS = "steps";

  /** Gauge: examples seen. */
  public static final String EXAMPLES_SEEN = "examplesSeen";

  /** Gauge: examples a second over the last second or more. */
  public static final String EXAMPLES_PER_SECOND = "examplesPerSecond";

  /** Gauge: milliseconds of the last round of predict, score and learn. */
  public static final String STEP_MILLIS = "stepMillis";

  /** Gauge: rows of all embedding tables. */
  public static final String EMBEDDING_ROWS = "embeddingRows";

  /** Gauge: norm of the dense gradient at the last step. */
  public static final String GRADIENT_NORM = "gradientNorm";

  /** Gauge: how often a delay correction's weight was more than {@code labels.max-weight}. */
  public static final String BOUNDED_WEIGHTS = "boundedWeights";

  /** Gauge: newest event time seen, epoch milliseconds. */
  public static final String NEWEST_EVENT = "newestEventMillis";

  /** Group of gauges, then the task's name, then the metric's. */
  public static final String QUALITY = "quality";

  /**
   * Group of a task: sums of predictions and of outcomes of the watched field's values, by how long
   * a value's feedback takes; all monotone.
   */
  public static final String BY_DELAY = "byDelay";

  /** Gauge: sum of predictions. */
  public static final String PREDICTED = "predicted";

  /** Gauge: sum of outcomes. */
  public static final String HAPPENED = "happened";

  /** Group of a task: new values that became calibrated, by the time that took. */
  public static final String TIME_TO_CALIBRATED = "timeToCalibrated";

  /** Gauge: values of the watched field born since the run's first window. */
  public static final String NEW_VALUES = "newValues";

  /** Gauge: predictions that wait for the last label of their impression. */
  public static final String PENDING_SCORES = "pendingScores";

  /** Gauge: share of the impressions whose labels are scored. */
  public static final String SCORED_SHARE = "scoredShare";

  /** Gauge: versions published by this run. */
  public static final String PUBLISHED = "versionsPublished";

  /** Group of counters: examples that went to the dead letters, one for each reason. */
  public static final String LEFT_OUT = "leftOut";

  /** Gauge: bytes of the last version's payload. */
  public static final String VERSION_BYTES = "lastVersionBytes";

  /** Group of counters: versions that were held back, one for each reason. */
  public static final String REFUSED = "versionsRefused";

  /** Counter: versions announced although something was wrong, for the last one's age. */
  public static final String FORCED = "versionsForced";

  /** Gauge: step of the last published version. */
  public static final String PUBLISHED_STEP = "lastPublishedStep";

  /** Gauge: seconds since the last version was published; -1 before the first. */
  public static final String SECONDS_SINCE_PUBLISHED = "secondsSincePublished";
}
