package dev.freshet.job.training;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.codec.FiniteNumbers;
import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.events.FieldCounts.Kind;
import dev.freshet.core.labels.DelayBucket;
import dev.freshet.core.labels.Task;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.job.metrics.MetricLabel;
import dev.freshet.job.metrics.MetricStep;
import dev.freshet.job.metrics.QualityMetrics;
import dev.freshet.job.metrics.StepMetrics;
import dev.freshet.job.metrics.TrainingMetrics;
import dev.freshet.training.LeftOutReason;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.TrainingIncidents;
import dev.freshet.training.evaluation.Quality;
import dev.freshet.training.evaluation.QualityMetric;
import dev.freshet.training.evaluation.ValueQuality;
import dev.freshet.training.publishing.PublishingGate;
import java.time.Clock;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.MetricGroup;
import org.jspecify.annotations.Nullable;

/**
 * Report of a trainer: the same numbers as Flink gauges, read by other threads at any time, and as
 * one JSON record for the metrics topic.
 */
final class TrainerReport {

  private static final ObjectMapper JSON = FiniteNumbers.mapper();

  private final String pipeline;
  private final ModelTrainer trainer;
  private final long run;
  private final Clock clock;

  private volatile Quality quality = Quality.NONE;
  private volatile long steps;
  private volatile long examples;
  private volatile long rows;
  private volatile long newestEvent;
  private volatile double norm;
  private volatile long boundedWeights;
  private volatile long onlyScored;
  private double stepMillis;
  private final Histogram stepTimes;
  private volatile double examplesPerSecond;
  private volatile long published;
  private volatile LastPublished last;
  private String version = "";
  private long refreshedAt;
  private long examplesAtRefresh;
  private final Map<PublishingGate.Reason, Counter> refused =
      new EnumMap<>(PublishingGate.Reason.class);
  private final Map<LeftOutReason, Counter> leftOut = new EnumMap<>(LeftOutReason.class);
  private final Counter forced;
  private volatile long lastBytes;
  private @Nullable String lastRefusal;

  /** The version that was held back since the last one; null if nothing was. */
  private @Nullable Map<String, Object> heldBack;

  /**
   * @param last version that was published before this trainer started
   * @param operator at whose metrics its own are registered
   */
  TrainerReport(
      String pipeline,
      ModelTrainer trainer,
      long run,
      LastPublished last,
      Clock clock,
      MetricGroup operator) {
    this.pipeline = pipeline;
    this.trainer = trainer;
    this.run = run;
    this.last = last;
    this.clock = clock;
    refreshedAt = clock.millis();
    examplesAtRefresh = trainer.examples();
    StepMetrics metrics =
        StepMetrics.of(MetricStep.TRAINING, operator)
            .with(MetricLabel.MODEL, trainer.context().model().name());
    stepTimes = metrics.histogram(TrainingMetrics.STEP_MICROS);
    forced = metrics.counter(TrainingMetrics.FORCED);
    register(metrics);
  }

  private void register(StepMetrics metrics) {
    metrics.gauge(TrainingMetrics.STEPS, () -> steps);
    metrics.gauge(TrainingMetrics.EXAMPLES_SEEN, () -> examples);
    metrics.gauge(TrainingMetrics.ONLY_SCORED, () -> onlyScored);
    metrics.gauge(TrainingMetrics.EXAMPLES_PER_SECOND, () -> examplesPerSecond);
    metrics.gauge(TrainingMetrics.EMBEDDING_ROWS, () -> rows);
    metrics.gauge(TrainingMetrics.GRADIENT_NORM, () -> norm);
    metrics.gauge(TrainingMetrics.BOUNDED_WEIGHTS, () -> boundedWeights);
    metrics.gauge(TrainingMetrics.NEWEST_EVENT, () -> newestEvent);
    metrics.gauge(TrainingMetrics.PENDING_SCORES, () -> trainer.scores().pending());
    metrics.gauge(TrainingMetrics.SCORED_SHARE, () -> trainer.scores().share());
    for (LeftOutReason reason : LeftOutReason.values()) {
      leftOut.put(
          reason,
          metrics.with(MetricLabel.LEFT_OUT, reason.label()).counter(TrainingMetrics.LEFT_OUT));
    }
    for (TrainingIncidents.Kind kind : TrainingIncidents.Kind.values()) {
      metrics
          .with(MetricLabel.INCIDENT, kind.label())
          .gauge(TrainingMetrics.INCIDENTS, () -> trainer.incidents().count(kind));
    }
    registerVersions(metrics);
    registerFields(metrics);
    if (byValue() != null) {
      metrics.gauge(TrainingMetrics.NEW_VALUES, () -> watched().births());
    }
    List<Task> tasks = trainer.context().tasks();
    for (Task task : tasks) {
      StepMetrics of = metrics.with(MetricLabel.TASK, task.name());
      for (QualityMetric metric : QualityMetric.all(task.kind())) {
        of.gauge(QualityMetrics.of(metric), () -> quality.value(task.name(), metric));
      }
      if (task.binary() && byValue() != null) {
        registerByValue(of, tasks.indexOf(task));
      }
    }
  }

  private void registerVersions(StepMetrics metrics) {
    metrics.gauge(TrainingMetrics.PUBLISHED, () -> published);
    metrics.gauge(TrainingMetrics.PUBLISHED_STEP, () -> last.step());
    metrics.gauge(TrainingMetrics.SECONDS_SINCE_PUBLISHED, () -> last.seconds(clock));
    metrics.gauge(TrainingMetrics.VERSION_BYTES, () -> lastBytes);
    for (PublishingGate.Reason reason : PublishingGate.Reason.values()) {
      refused.put(
          reason,
          metrics.with(MetricLabel.REFUSED, reason.label()).counter(TrainingMetrics.REFUSED));
    }
  }

  private void registerFields(StepMetrics metrics) {
    FieldCounts counts = trainer.fieldCounts();
    for (int i = 0; i < counts.fields().size(); i++) {
      int field = i;
      StepMetrics of = metrics.with(MetricLabel.FIELD, counts.fields().get(i));
      for (Kind kind : List.of(Kind.ABSENT, Kind.UNKNOWN, Kind.CLIPPED)) {
        of.with(MetricLabel.LEARNT, kind.label())
            .gauge(TrainingMetrics.LEARNT_FIELDS, () -> counts.count(field, kind));
      }
    }
  }

  // Sums of doubles and longs, read while the worker may be adding: at worst one example old.
  private void registerByValue(StepMetrics metrics, int task) {
    for (DelayBucket bucket : DelayBucket.values()) {
      StepMetrics of = metrics.with(MetricLabel.BUCKET, bucket.label());
      of.gauge(TrainingMetrics.PREDICTED, () -> watched().predicted(task, bucket));
      of.gauge(TrainingMetrics.HAPPENED, () -> watched().happened(task, bucket));
      of.gauge(TrainingMetrics.CALIBRATED_VALUES, () -> watched().calibrated(task, bucket));
    }
  }

  private @Nullable ValueQuality byValue() {
    return trainer.scores().byValue();
  }

  private ValueQuality watched() {
    return requireNonNull(byValue());
  }

  void stepTook(long nanos) {
    stepMillis = nanos / 1e6;
    stepTimes.update(TimeUnit.NANOSECONDS.toMicros(nanos));
  }

  void leftOut(LeftOutReason reason, int examples) {
    requireNonNull(leftOut.get(reason)).inc(examples);
  }

  void refused(PublishingGate.Refusal refusal, long step) {
    if (refusal.forced()) {
      forced.inc();
    } else {
      requireNonNull(refused.get(refusal.reason())).inc();
      long before = heldBack == null ? 0 : (long) requireNonNull(heldBack.get("versions"));
      heldBack = new LinkedHashMap<>();
      heldBack.put("versions", before + 1);
      heldBack.put("step", step);
      heldBack.put("reason", refusal.reason().label());
      heldBack.put("detail", refusal.detail());
    }
    lastRefusal = "step " + step + ", " + refusal.reason().label() + ": " + refusal.detail();
  }

  void published(Manifest manifest) {
    heldBack = null;
    published++;
    lastBytes = manifest.bytes();
    last = new LastPublished(manifest.publishedAt(), trainer.steps());
    version = manifest.version();
  }

  /** The newest version. */
  LastPublished last() {
    return last;
  }

  /** Milliseconds since the last refresh. */
  long age() {
    return clock.millis() - refreshedAt;
  }

  /** Takes the trainer's numbers, which must be idle, and returns them as JSON. */
  String refresh() {
    long now = clock.millis();
    steps = trainer.steps();
    examples = trainer.examples();
    onlyScored = trainer.onlyScored();
    rows = trainer.rows();
    norm = trainer.norm();
    boundedWeights = trainer.boundedWeights();
    newestEvent = trainer.newestEvent();
    quality = trainer.quality();
    if (now > refreshedAt) {
      examplesPerSecond = (examples - examplesAtRefresh) * 1000.0 / (now - refreshedAt);
    }
    refreshedAt = now;
    examplesAtRefresh = examples;
    Map<String, Object> record = new LinkedHashMap<>();
    record.put("pipeline", pipeline);
    record.put("model", trainer.context().model().name());
    record.put("run", run);
    record.put("time", now);
    record.put("steps", steps);
    record.put("examples", examples);
    record.put("onlyScored", onlyScored);
    record.put("examplesPerSecond", examplesPerSecond);
    record.put("stepMillis", stepMillis);
    record.put("embeddingRows", rows);
    record.put("gradientNorm", norm);
    record.put("boundedWeights", boundedWeights);
    record.put("newestEvent", newestEvent);
    record.put("fields", trainer.fieldCounts().byField());
    record.put("fieldExamples", trainer.fieldCounts().impressions());
    record.put("published", published);
    record.put("version", version);
    Map<String, Long> refusals = new LinkedHashMap<>();
    refused.forEach((reason, count) -> refusals.put(reason.label(), count.getCount()));
    record.put("refused", refusals);
    record.put("forced", forced.getCount());
    if (lastRefusal != null) {
      record.put("lastRefusal", lastRefusal);
    }
    if (heldBack != null) {
      record.put("heldBack", heldBack);
    }
    record.putAll(trainer.incidents().counts());
    record.put("samples", trainer.incidents().samples());
    record.put("quality", quality.byKey());
    record.put("served", trainer.scores().servedQuality().byKey());
    if (byValue() != null) {
      record.put("byValue", byValue().metrics());
    }
    try {
      return JSON.writeValueAsString(record);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a report is plain data", e);
    }
  }
}
