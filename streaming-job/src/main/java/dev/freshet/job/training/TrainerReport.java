package dev.freshet.job.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.codec.FiniteNumbers;
import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.events.FieldCounts.Kind;
import dev.freshet.core.labels.DelayBucket;
import dev.freshet.core.labels.Task;
import dev.freshet.core.publishing.Manifest;
import dev.freshet.core.publishing.PublishingGate;
import dev.freshet.core.training.LeftOutReason;
import dev.freshet.core.training.ModelTrainer;
import dev.freshet.core.training.TrainingIncidents;
import dev.freshet.core.training.evaluation.ValueQuality;
import dev.freshet.job.MetricNames;
import java.time.Clock;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;

/**
 * What a trainer tells of itself: the same numbers as Flink gauges, read by other threads at any
 * time, and as one JSON record for the metrics topic.
 */
final class TrainerReport {

  private static final ObjectMapper JSON = FiniteNumbers.mapper();
  private static final List<String> BINARY =
      List.of("auc", "logLoss", "normalizedEntropy", "calibration", "slope", "examples");
  private static final List<String> AMOUNT =
      List.of("nrmse", "nmae", "gini", "spearman", "calibration", "examples");

  private final String pipeline;
  private final ModelTrainer trainer;
  private final long run;
  private final Clock clock;

  private volatile Map<String, Map<String, Double>> quality = Map.of();
  private volatile long steps;
  private volatile long examples;
  private volatile long rows;
  private volatile long newestEvent;
  private volatile double norm;
  private volatile long boundedWeights;
  private volatile double stepMillis;
  private volatile double examplesPerSecond;
  private volatile long published;
  private volatile long publishedStep = -1;
  private volatile long publishedAt;
  private String version = "";
  private long refreshedAt;
  private long examplesAtRefresh;
  private final Map<PublishingGate.Reason, Counter> refused =
      new EnumMap<>(PublishingGate.Reason.class);
  private final Map<LeftOutReason, Counter> leftOut = new EnumMap<>(LeftOutReason.class);
  private Counter forced;
  private volatile long lastBytes;
  private String lastRefusal;

  /** What was held back since the last version; null if nothing was. */
  private Map<String, Object> heldBack;

  TrainerReport(String pipeline, ModelTrainer trainer, long run, Clock clock) {
    this.pipeline = pipeline;
    this.trainer = trainer;
    this.run = run;
    this.clock = clock;
    refreshedAt = clock.millis();
    examplesAtRefresh = trainer.examples();
  }

  void register(MetricGroup operator) {
    MetricGroup group =
        operator.addGroup(MetricNames.TRAINING).addGroup(trainer.context().model().name());
    group.gauge(MetricNames.STEPS, (Gauge<Long>) () -> steps);
    group.gauge(MetricNames.EXAMPLES_SEEN, (Gauge<Long>) () -> examples);
    group.gauge(MetricNames.EXAMPLES_PER_SECOND, (Gauge<Double>) () -> examplesPerSecond);
    group.gauge(MetricNames.STEP_MILLIS, (Gauge<Double>) () -> stepMillis);
    group.gauge(MetricNames.EMBEDDING_ROWS, (Gauge<Long>) () -> rows);
    group.gauge(MetricNames.GRADIENT_NORM, (Gauge<Double>) () -> norm);
    group.gauge(MetricNames.BOUNDED_WEIGHTS, (Gauge<Long>) () -> boundedWeights);
    group.gauge(MetricNames.NEWEST_EVENT, (Gauge<Long>) () -> newestEvent);
    group.gauge(MetricNames.PUBLISHED, (Gauge<Long>) () -> published);
    group.gauge(MetricNames.PUBLISHED_STEP, (Gauge<Long>) () -> publishedStep);
    group.gauge(
        MetricNames.SECONDS_SINCE_PUBLISHED,
        (Gauge<Double>) () -> published == 0 ? -1 : (clock.millis() - publishedAt) / 1000.0);
    for (PublishingGate.Reason reason : PublishingGate.Reason.values()) {
      refused.put(reason, group.addGroup(MetricNames.REFUSED).counter(reason.label()));
    }
    for (LeftOutReason reason : LeftOutReason.values()) {
      leftOut.put(reason, group.addGroup(MetricNames.LEFT_OUT).counter(reason.label()));
    }
    forced = group.counter(MetricNames.FORCED);
    for (TrainingIncidents.Kind kind : TrainingIncidents.Kind.values()) {
      group.gauge(kind.label(), (Gauge<Long>) () -> trainer.incidents().count(kind));
    }
    group.gauge(MetricNames.VERSION_BYTES, (Gauge<Long>) () -> lastBytes);
    group.gauge(MetricNames.PENDING_SCORES, (Gauge<Integer>) () -> trainer.scores().pending());
    group.gauge(MetricNames.SCORED_SHARE, (Gauge<Double>) () -> trainer.scores().share());
    FieldCounts counts = trainer.fieldCounts();
    for (int i = 0; i < counts.fields().size(); i++) {
      int field = i;
      MetricGroup of = group.addGroup(MetricNames.FIELDS).addGroup(counts.fields().get(i));
      for (Kind kind : List.of(Kind.ABSENT, Kind.UNKNOWN, Kind.CLIPPED)) {
        of.gauge(kind.label(), (Gauge<Long>) () -> counts.count(field, kind));
      }
    }
    MetricGroup byTask = group.addGroup(MetricNames.QUALITY);
    List<Task> tasks = trainer.context().tasks();
    for (Task task : tasks) {
      MetricGroup of = byTask.addGroup(task.name());
      if (task.binary() && trainer.scores().byValue() != null) {
        registerByValue(of, tasks.indexOf(task));
      }
      for (String metric : task.binary() ? BINARY : AMOUNT) {
        of.gauge(metric, (Gauge<Double>) () -> metric(task.name(), metric));
      }
    }
  }

  // Sums of doubles and longs, read while the worker may be adding: at worst one example old.
  private void registerByValue(MetricGroup group, int task) {
    MetricGroup byDelay = group.addGroup(MetricNames.BY_DELAY);
    MetricGroup times = group.addGroup(MetricNames.TIME_TO_CALIBRATED);
    for (DelayBucket bucket : DelayBucket.values()) {
      MetricGroup of = byDelay.addGroup(bucket.label());
      of.gauge(MetricNames.PREDICTED, (Gauge<Double>) () -> byValue().predicted(task, bucket));
      of.gauge(MetricNames.HAPPENED, (Gauge<Double>) () -> byValue().happened(task, bucket));
      times.gauge(bucket.label(), (Gauge<Long>) () -> byValue().calibrated(task, bucket));
    }
    times.gauge(MetricNames.NEW_VALUES, (Gauge<Long>) () -> byValue().births());
  }

  private ValueQuality byValue() {
    return trainer.scores().byValue();
  }

  // Reporters want a number: NaN until the metric is defined.
  private double metric(String task, String metric) {
    return quality.getOrDefault(task, Map.of()).getOrDefault(metric, Double.NaN);
  }

  void stepTook(long nanos) {
    stepMillis = nanos / 1e6;
  }

  void leftOut(LeftOutReason reason, int examples) {
    leftOut.get(reason).inc(examples);
  }

  void refused(PublishingGate.Refusal refusal, long step) {
    if (refusal.forced()) {
      forced.inc();
    } else {
      refused.get(refusal.reason()).inc();
      long before = heldBack == null ? 0 : (long) heldBack.get("versions");
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
    publishedStep = trainer.steps();
    publishedAt = manifest.publishedAt();
    version = manifest.version();
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
    record.put("quality", quality);
    record.put("served", trainer.scores().servedQuality());
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
