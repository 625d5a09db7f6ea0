package dev.freshet.job.metrics;

import java.util.List;

/** Where in the job a metric is measured, and what its name begins with. */
public enum MetricStep {
  SOURCE("each task of the sources, `read impressions` and `read feedback`", "events"),
  /** Flink's source gives what parses its messages a group of its own. */
  PARSER(
      "each task of the source `read impressions`, where messages are parsed",
      "deserializer",
      "events"),
  SPLIT("each task of `impressions` and `feedback`, right behind the sources", "events"),
  COUNT_JOIN("each task of `counted events`; only with features that are counts", "counts"),
  COUNT("each task of `counts by FIELD`; only with features that are counts", "counts"),
  LABELS("each task of `labels`, the join of impressions and feedback", "labels"),
  FEATURES("each task of `features`, which makes keys of values", "features"),
  TRAINING("the one task of `training MODEL`", "training"),
  /** Flink's sink gives what makes its messages a group of its own. */
  SINK("each task of the sinks, but not those of versions and of the training log", "user", "sink");

  private final String where;
  private final List<String> groups;

  /**
   * @param where in words
   * @param groups names of metric groups within the operator's; all but the last are Flink's
   */
  MetricStep(String where, String... groups) {
    this.where = where;
    this.groups = List.of(groups);
  }

  /** In words, for the reference page. */
  public String where() {
    return where;
  }

  /** The group that we make; what is before it in a name is Flink's. */
  String group() {
    return groups.get(groups.size() - 1);
  }

  /** All groups within the operator's, Flink's first. */
  List<String> groups() {
    return groups;
  }

  /** The groups as they are in Prometheus, where all names of this step begin so. */
  public String prefix() {
    return String.join("_", groups);
  }
}
