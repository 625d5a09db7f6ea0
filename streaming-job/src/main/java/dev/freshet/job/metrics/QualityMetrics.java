package dev.freshet.job.metrics;

import static java.util.Objects.requireNonNull;

import dev.freshet.training.evaluation.QualityMetric;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** A gauge for each {@link QualityMetric}, per model and task. */
public final class QualityMetrics {

  private static final MetricMenu MENU = new MetricMenu();
  private static final Map<QualityMetric, JobMetric> GAUGES = new EnumMap<>(QualityMetric.class);

  static {
    for (QualityMetric metric : QualityMetric.values()) {
      GAUGES.put(
          metric,
          MENU.gauge(
              MetricStep.TRAINING,
              metric.key(),
              metric.unit(),
              metric.meaning(),
              MetricLabel.MODEL,
              MetricLabel.TASK));
    }
  }

  private QualityMetrics() {}

  public static JobMetric of(QualityMetric metric) {
    return requireNonNull(GAUGES.get(metric));
  }

  static List<JobMetric> all() {
    return MENU.all();
  }
}
