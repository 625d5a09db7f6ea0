package dev.freshet.training.evaluation;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How good predictions have been.
 *
 * @param byTask values that are defined, by task and metric; may be added to
 */
public record Quality(Map<String, Map<QualityMetric, Double>> byTask) {

  /** Of nothing that was scored. */
  public static final Quality NONE = new Quality(Map.of());

  /** A value; NaN where there is none. */
  public double value(String task, QualityMetric metric) {
    return byTask.getOrDefault(task, Map.of()).getOrDefault(metric, Double.NaN);
  }

  /** By task and {@link QualityMetric#key()}, as in manifests and on the metrics topic. */
  public Map<String, Map<String, Double>> byKey() {
    Map<String, Map<String, Double>> byKey = new LinkedHashMap<>();
    byTask.forEach(
        (task, metrics) -> {
          Map<String, Double> values = byKey.computeIfAbsent(task, name -> new LinkedHashMap<>());
          metrics.forEach((metric, value) -> values.put(metric.key(), value));
        });
    return byKey;
  }
}
