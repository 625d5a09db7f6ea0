package dev.freshet.job.metrics;

import static dev.freshet.job.metrics.MetricLabel.BUCKET;
import static dev.freshet.job.metrics.MetricLabel.TASK;
import static dev.freshet.job.metrics.MetricStep.FEATURES;
import static dev.freshet.job.metrics.MetricStep.LABELS;

import java.util.List;

/** Metrics of the join of impressions and feedback, and of features. */
public final class LabelMetrics {

  private static final MetricMenu MENU = new MetricMenu();

  public static final JobMetric EXAMPLES =
      MENU.counter(LABELS, "examples", "examples", "Examples that left the join.");

  public static final JobMetric DROPPED =
      MENU.counter(
          LABELS,
          "dropped",
          "events",
          "Events that have no part in any label, and became dead letters.",
          MetricLabel.DROPPED);

  public static final JobMetric SKEWED =
      MENU.gauge(
          LABELS,
          "skewed",
          "events",
          "Events that counted at their parent, because by their own clocks they were before it, by up to"
              + " `labels.clock-skew`; since the job's first start.");

  public static final JobMetric DEADLINES =
      MENU.gauge(
          LABELS,
          "deadlines",
          "impressions",
          "Impressions by what became of their own deadlines, since the job's first start; only of tasks"
              + " with a `deadline`.",
          TASK,
          MetricLabel.USE);

  public static final JobMetric PENDING_IMPRESSIONS =
      MENU.gauge(
          LABELS,
          "pendingImpressions",
          "impressions",
          "Impressions, and feedback without one, that wait in keyed state.");

  public static final JobMetric STATE_BYTES_PER_IMPRESSION =
      MENU.gauge(
          LABELS,
          "stateBytesPerImpression",
          "bytes",
          "Mean size of one such value in state, without key, timer and what the backend adds.");

  public static final JobMetric SINCE_PARENT =
      MENU.counter(
          LABELS,
          "sinceParent",
          "labels",
          "Final labels by the delay from the parent's event (click to purchase) to the first of"
              + " their own.",
          TASK,
          BUCKET);

  public static final JobMetric SINCE_IMPRESSION =
      MENU.counter(
          LABELS,
          "sinceImpression",
          "labels",
          "Final labels by the delay from the impression.",
          TASK,
          BUCKET);

  public static final JobMetric LATE =
      MENU.counter(
          LABELS,
          "late",
          "labels",
          "Positives among the final labels that came after the correction's waiting time.",
          TASK);

  public static final JobMetric LOST =
      MENU.counter(
          LABELS,
          "lost",
          "events",
          "Events that came after their window, and are in no label.",
          TASK);

  public static final JobMetric SHARE_LATE =
      MENU.gauge(
          LABELS,
          "shareLate",
          "0 to 1",
          "Share of the final labels' positives that came late. Each task's is a fair sample of"
              + " the whole.",
          TASK);

  public static final JobMetric SHARE_LOST =
      MENU.gauge(
          LABELS,
          "shareLost",
          "0 to 1",
          "Share of all feedback that was lost. Each task's is a fair sample of the whole.",
          TASK);

  public static final JobMetric CUT_CROSSES =
      MENU.gauge(
          FEATURES,
          "cutCrosses",
          "crosses",
          "Crosses of impressions with more values than are crossed.");

  private LabelMetrics() {}

  static List<JobMetric> all() {
    return MENU.all();
  }
}
