package dev.freshet.job.metrics;

import dev.freshet.core.counts.CountJoin;
import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.events.RejectReason;
import dev.freshet.core.labels.DeadlineUse;
import dev.freshet.core.labels.DelayBucket;
import dev.freshet.core.labels.DropReason;
import dev.freshet.training.LeftOutReason;
import dev.freshet.training.TrainingIncidents;
import dev.freshet.training.publishing.PublishingGate;
import java.util.List;
import java.util.function.Function;

/**
 * By what several series of one metric are told apart.
 *
 * @param key the label's name
 * @param values all that it may be; empty where the pipeline says
 */
public record MetricLabel(String key, List<String> values) {

  public static final MetricLabel MODEL = new MetricLabel("model", List.of());
  public static final MetricLabel TASK = new MetricLabel("task", List.of());
  public static final MetricLabel FIELD = new MetricLabel("field", List.of());

  public static final MetricLabel REJECTED =
      of("reason", RejectReason::label, List.of(RejectReason.values()));
  public static final MetricLabel DROPPED =
      of("reason", DropReason::label, List.of(DropReason.values()));
  public static final MetricLabel LEFT_OUT =
      of("reason", LeftOutReason::label, List.of(LeftOutReason.values()));
  public static final MetricLabel REFUSED =
      of("reason", PublishingGate.Reason::label, List.of(PublishingGate.Reason.values()));
  public static final MetricLabel MISSED =
      of("reason", CountJoin.Missed::label, List.of(CountJoin.Missed.values()));
  public static final MetricLabel USE =
      of("use", DeadlineUse::label, List.of(DeadlineUse.values()));
  public static final MetricLabel BUCKET =
      of("bucket", DelayBucket::label, List.of(DelayBucket.values()));
  public static final MetricLabel INCIDENT =
      of("kind", TrainingIncidents.Kind::label, List.of(TrainingIncidents.Kind.values()));
  public static final MetricLabel SENT =
      of(
          "kind",
          FieldCounts.Kind::label,
          List.of(
              FieldCounts.Kind.ABSENT,
              FieldCounts.Kind.WRONG_TYPE,
              FieldCounts.Kind.NUMBER_AS_TEXT));
  public static final MetricLabel LEARNT =
      of(
          "kind",
          FieldCounts.Kind::label,
          List.of(FieldCounts.Kind.ABSENT, FieldCounts.Kind.UNKNOWN, FieldCounts.Kind.CLIPPED));

  private static <T> MetricLabel of(String key, Function<T, String> label, List<T> values) {
    return new MetricLabel(key, values.stream().map(label).distinct().toList());
  }

  boolean takes(String value) {
    return values.isEmpty() || values.contains(value);
  }
}
