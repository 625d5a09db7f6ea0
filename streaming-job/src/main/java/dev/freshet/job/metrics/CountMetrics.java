package dev.freshet.job.metrics;

import static dev.freshet.job.metrics.MetricLabel.FIELD;
import static dev.freshet.job.metrics.MetricStep.COUNT;
import static dev.freshet.job.metrics.MetricStep.COUNT_JOIN;

import java.util.List;

/** Metrics of counts of the stream; only with features that are counts. */
public final class CountMetrics {

  private static final MetricMenu MENU = new MetricMenu();

  public static final JobMetric COUNTED =
      MENU.counter(COUNT_JOIN, "counted", "events", "Events that count.");

  public static final JobMetric MISSED =
      MENU.counter(
          COUNT_JOIN,
          "missed",
          "events",
          "Events that do not count: no impression came in time, or they were outside their window.",
          MetricLabel.MISSED);

  public static final JobMetric COUNTED_IMPRESSIONS =
      MENU.gauge(
          COUNT_JOIN,
          "countedImpressions",
          "impressions",
          "Impressions that are remembered so that their feedback counts; state.");

  public static final JobMetric COUNTED_VALUES =
      MENU.gauge(
          COUNT,
          "countedValues",
          "values",
          "Values of the field whose counts are above 0; state.",
          FIELD);

  public static final JobMetric WAITING_IMPRESSIONS =
      MENU.gauge(
          COUNT,
          "waitingImpressions",
          "impressions",
          "Impressions that wait for the watermark to be told their counts; state.",
          FIELD);

  public static final JobMetric LATE_IMPRESSIONS =
      MENU.gauge(
          COUNT,
          "lateImpressions",
          "impressions",
          "Impressions that came behind the watermark, and were told no counts.",
          FIELD);

  public static final JobMetric LATE_EVENTS =
      MENU.counter(
          COUNT,
          "lateEvents",
          "events",
          "Events that came behind the watermark, and count from then on.",
          FIELD);

  public static final JobMetric BROUGHT =
      MENU.counter(
          COUNT,
          "brought",
          "impressions",
          "Impressions that brought all their counts along.",
          FIELD);

  private CountMetrics() {}

  static List<JobMetric> all() {
    return MENU.all();
  }
}
