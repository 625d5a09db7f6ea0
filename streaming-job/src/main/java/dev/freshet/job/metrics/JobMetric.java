package dev.freshet.job.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A metric of the job's own. None is registered that is not on a menu ({@link #all()}), and {@code
 * docs/metrics.md} is made of the menus. All values are numbers; what is not defined yet is NaN.
 * The key by which series differ is a label, never part of a name. Names are public: dashboards and
 * alert rules are written by them.
 */
public final class JobMetric {

  /** How a value moves. */
  public enum Type {
    /** Rises from 0 at the task's start. */
    COUNTER,
    /** Is what it is now. */
    GAUGE,
    /** Quantiles of the newest values, and how many there were since the task's start. */
    HISTOGRAM
  }

  /** Prefix that Flink's Prometheus reporter puts before the name of an operator's metric. */
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
      List<MetricLabel> labels) {
    this.step = step;
    this.type = type;
    this.metric = metric;
    this.unit = unit;
    this.meaning = meaning;
    this.labels = labels;
  }

  /** All menus. */
  public static List<JobMetric> all() {
    return Stream.of(
            EventMetrics.all(),
            CountMetrics.all(),
            LabelMetrics.all(),
            TrainingMetrics.all(),
            QualityMetrics.all())
        .flatMap(List::stream)
        .toList();
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

  /** Meaning, for the reference page. */
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

  @Override
  public String toString() {
    return uiName();
  }
}
