package dev.freshet.job.metrics;

import java.util.ArrayList;
import java.util.List;

/** Makes the metrics of a menu and keeps them in order. */
final class MetricMenu {

  private final List<JobMetric> metrics = new ArrayList<>();

  /** One more that rises from 0 at the task's start. */
  JobMetric counter(
      MetricStep step, String metric, String unit, String meaning, MetricLabel... labels) {
    return add(step, JobMetric.Type.COUNTER, metric, unit, meaning, labels);
  }

  /** One more that is what it is now. */
  JobMetric gauge(
      MetricStep step, String metric, String unit, String meaning, MetricLabel... labels) {
    return add(step, JobMetric.Type.GAUGE, metric, unit, meaning, labels);
  }

  /** One more of which quantiles of the newest values are told. */
  JobMetric histogram(
      MetricStep step, String metric, String unit, String meaning, MetricLabel... labels) {
    return add(step, JobMetric.Type.HISTOGRAM, metric, unit, meaning, labels);
  }

  private JobMetric add(
      MetricStep step,
      JobMetric.Type type,
      String metric,
      String unit,
      String meaning,
      MetricLabel... labels) {
    JobMetric made = new JobMetric(step, type, metric, unit, meaning, List.of(labels));
    metrics.add(made);
    return made;
  }

  List<JobMetric> all() {
    return List.copyOf(metrics);
  }
}
