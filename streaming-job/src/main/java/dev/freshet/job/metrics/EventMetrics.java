package dev.freshet.job.metrics;

import static dev.freshet.job.metrics.MetricLabel.FIELD;
import static dev.freshet.job.metrics.MetricStep.PARSER;
import static dev.freshet.job.metrics.MetricStep.SINK;
import static dev.freshet.job.metrics.MetricStep.SOURCE;
import static dev.freshet.job.metrics.MetricStep.SPLIT;

import java.util.List;

/** Metrics of what is read, parsed and written: sources, parsers, splits, sinks. */
public final class EventMetrics {

  private static final MetricMenu MENU = new MetricMenu();

  public static final JobMetric ACCEPTED =
      MENU.counter(SPLIT, "accepted", "events", "Events that messages hold.");

  public static final JobMetric REJECTED =
      MENU.counter(
          SPLIT,
          "rejected",
          "messages",
          "Messages that are no events, and became dead letters.",
          MetricLabel.REJECTED);

  public static final JobMetric PASSED_OVER =
      MENU.counter(
          SPLIT,
          "passedOver",
          "messages",
          "Messages of which `when` and `each` of the pipeline's `events` make no event.");

  public static final JobMetric IDLE_PARTITIONS =
      MENU.gauge(
          SOURCE,
          "idlePartitions",
          "partitions",
          "Partitions that are read to their ends and silent for `labels.idle-after`, so that they do not"
              + " hold the watermark back.");

  public static final JobMetric JUMPS =
      MENU.counter(
          SOURCE,
          "jumps",
          "events",
          "Events too far ahead of their partition to move its time alone.");

  public static final JobMetric SENT_FIELDS =
      MENU.gauge(
          PARSER,
          "fields",
          "impressions",
          "Impressions in which a feature field was so, of those that this task has read.",
          FIELD,
          MetricLabel.SENT);

  public static final JobMetric TRUNCATED =
      MENU.counter(
          SINK,
          "truncated",
          "messages",
          "Messages that were larger than their topic takes, and were cut or left out.");

  private EventMetrics() {}

  static List<JobMetric> all() {
    return MENU.all();
  }
}
