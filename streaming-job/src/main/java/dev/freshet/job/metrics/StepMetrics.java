package dev.freshet.job.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.metrics.DescriptiveStatisticsHistogram;

/**
 * Registers the metrics of a step with Flink: only those of {@link JobMetric#all()}, and only with
 * the labels that it says.
 */
public final class StepMetrics {

  private static final int NEWEST = 1024;

  private final MetricStep step;
  private final MetricGroup group;
  private final List<String> keys;
  private final List<String> values;

  private StepMetrics(MetricStep step, MetricGroup group, List<String> keys, List<String> values) {
    this.step = step;
    this.group = group;
    this.keys = keys;
    this.values = values;
  }

  /**
   * Of a step without labels yet.
   *
   * @param group that Flink gives to what registers
   */
  public static StepMetrics of(MetricStep step, MetricGroup group) {
    return new StepMetrics(step, group.addGroup(step.group()), List.of(), List.of());
  }

  /** The same with one more label, whose value tells the series apart. */
  public StepMetrics with(MetricLabel label, String value) {
    return new StepMetrics(
        step, group.addGroup(label.key(), value), and(keys, label.key()), and(values, value));
  }

  private static List<String> and(List<String> list, String more) {
    List<String> longer = new ArrayList<>(list);
    longer.add(more);
    return List.copyOf(longer);
  }

  /**
   * A new counter.
   *
   * @throws IllegalArgumentException if the menu has it at another step, with other labels or as
   *     something else
   */
  public Counter counter(JobMetric metric) {
    require(metric, JobMetric.Type.COUNTER);
    return group.counter(metric.metric());
  }

  /**
   * A gauge that asks for its value, in any thread.
   *
   * @throws IllegalArgumentException if the menu has it at another step, with other labels or as
   *     something else
   */
  public void gauge(JobMetric metric, Supplier<Number> value) {
    require(metric, JobMetric.Type.GAUGE);
    group.gauge(metric.metric(), (Gauge<Number>) value::get);
  }

  /**
   * A new histogram of the newest 1,024 values.
   *
   * @throws IllegalArgumentException if the menu has it at another step, with other labels or as
   *     something else
   */
  public Histogram histogram(JobMetric metric) {
    require(metric, JobMetric.Type.HISTOGRAM);
    return group.histogram(metric.metric(), new DescriptiveStatisticsHistogram(NEWEST));
  }

  private void require(JobMetric metric, JobMetric.Type type) {
    boolean same =
        metric.step() == step
            && metric.type() == type
            && metric.labels().stream().map(MetricLabel::key).toList().equals(keys);
    for (int i = 0; same && i < values.size(); i++) {
      same = metric.labels().get(i).takes(values.get(i));
    }
    if (!same) {
      throw new IllegalArgumentException(
          "%s is no %s of %s with %s %s"
              .formatted(metric, type, step, keys, values)); // a mistake in the code that registers
    }
  }
}
