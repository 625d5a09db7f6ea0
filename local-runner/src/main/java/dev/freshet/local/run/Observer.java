package dev.freshet.local.run;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.labels.DeadlineUse;
import dev.freshet.core.labels.Task;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.snapshot.ModelRecords;
import dev.freshet.job.counts.CountFunction;
import dev.freshet.job.features.EncodeFunction;
import dev.freshet.job.labels.LabelJoinFunction;
import dev.freshet.local.broker.Topics;
import dev.freshet.replica.ModelReplica;
import dev.freshet.replica.ReplicaSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Watches a running pipeline from outside, through nothing but its topics: events and dead letters
 * are counted, the newest metrics of each model are kept, versions are followed by replicas.
 */
final class Observer implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Pipeline pipeline;
  private final Topics topics;
  private final DeadLetters deadLetters;
  private final Map<String, Long> earlier = new ConcurrentHashMap<>();
  private final Map<String, JsonNode> metrics = new ConcurrentHashMap<>();
  private final Map<String, Map<String, Boolean>> versions = new ConcurrentHashMap<>();
  private final Map<String, ModelReplica> replicas = new LinkedHashMap<>();
  private volatile Supplier<Map<String, Object>> counted = Map::of;
  private final TopicFollower letterFollower;
  private final TopicFollower metricFollower;
  private final TopicFollower versionFollower;

  Observer(Pipeline pipeline, Topics topics, Path temporary) throws IOException {
    this.pipeline = pipeline;
    this.topics = topics;
    deadLetters = new DeadLetters(pipeline);
    letterFollower =
        new TopicFollower(pipeline, pipeline.topic(SystemTopic.DEAD_LETTERS), deadLetters::add);
    metricFollower =
        new TopicFollower(
            pipeline, pipeline.topic(SystemTopic.METRICS), record -> metric(record.value()));
    versionFollower =
        new TopicFollower(pipeline, pipeline.topic(SystemTopic.MODELS), this::version);
    for (ModelDefinition model : pipeline.models()) {
      replicas.put(
          model.name(),
          ModelReplica.follow(
              pipeline,
              model.name(),
              new ReplicaSettings(temporary.resolve("replica-" + model.name()), 0)));
    }
  }

  private void metric(byte[] value) {
    try {
      JsonNode record = JSON.readTree(value);
      metrics.put(record.path("model").asText(), record);
    } catch (IOException e) {
      throw new IllegalStateException("the metrics topic holds something else", e);
    }
  }

  private void version(ConsumerRecord<byte[], byte[]> record) {
    if (DeadLetters.header(record, "freshet.index").equals("-1") && record.value() != null) {
      ModelRecords.model(record.key())
          .ifPresent(
              model ->
                  versions
                      .computeIfAbsent(model, m -> new ConcurrentHashMap<>())
                      .put(DeadLetters.header(record, "freshet.version"), true));
    }
  }

  /**
   * Sees what an earlier run has left there, so that nothing of it is taken for this run's.
   *
   * @param patience how long to wait while nothing comes
   */
  void begin(Duration patience) throws Exception {
    catchUp(patience);
    metrics.forEach((model, record) -> earlier.put(model, record.path("run").asLong()));
  }

  /** True if the newest metrics record of a model is of an earlier run, whose rates say nothing. */
  boolean isEarlier(String model) {
    return Long.valueOf(metrics(model).path("run").asLong()).equals(earlier.get(model));
  }

  /** Messages in the event topics. */
  Map<String, Long> events() throws Exception {
    return topics.eventCounts();
  }

  /** Events that counted although by their clocks they were before their parent; of the job. */
  long skewed() {
    return counted.get().get(LabelJoinFunction.SKEWED) instanceof Long count ? count : 0;
  }

  /** The first of these events in words; empty if there was none. */
  String skewedSample() {
    return counted.get().get(LabelJoinFunction.SKEWED_SAMPLE) instanceof String first ? first : "";
  }

  /** Crosses of impressions that had more values than are crossed; of the job since it started. */
  long cutCrosses() {
    return counted.get().get(EncodeFunction.CUT_CROSSES) instanceof Long count ? count : 0;
  }

  /** The first impression of which a cross was cut; empty if none was. */
  String cutSample() {
    return counted.get().get(EncodeFunction.CUT_SAMPLE) instanceof String id ? id : "";
  }

  /** Impressions that came too late to be told a count by a field, or 0; of the job. */
  long lateForCounts(String field) {
    return counted.get().get(CountFunction.LATE + field) instanceof Long count ? count : 0;
  }

  /** The first of these impressions; empty if there was none. */
  String lateForCountsSample(String field) {
    return counted.get().get(CountFunction.LATE_SAMPLE + field) instanceof String id ? id : "";
  }

  /**
   * Impressions by task and what became of their own deadlines, with the first that had none of use
   * in words; of the job. Empty where no task asks for deadlines.
   */
  Map<String, Map<DeadlineUse, DeadlineTold>> deadlines() {
    Map<String, Object> counts = counted.get();
    Map<String, Map<DeadlineUse, DeadlineTold>> all = new LinkedHashMap<>();
    for (Task task : pipeline.tasks()) {
      if (task.deadline().present()) {
        Map<DeadlineUse, DeadlineTold> of = new EnumMap<>(DeadlineUse.class);
        for (DeadlineUse use : DeadlineUse.values()) {
          String name = task.name() + "." + use.label();
          if (counts.get(LabelJoinFunction.DEADLINES + name) instanceof Long count && count > 0) {
            Object first = counts.get(LabelJoinFunction.DEADLINE_SAMPLES + name);
            of.put(use, new DeadlineTold(count, first == null ? "" : first.toString()));
          }
        }
        all.put(task.name(), of);
      }
    }
    return all;
  }

  /** How many impressions, and the first of them in words. */
  record DeadlineTold(long count, String first) {}

  void counted(Supplier<Map<String, Object>> accumulators) {
    counted = accumulators;
  }

  DeadLetters deadLetters() {
    return deadLetters;
  }

  /** The newest metrics record of a model, or a missing node. */
  JsonNode metrics(String model) {
    return metrics.getOrDefault(model, JSON.missingNode());
  }

  /** Distinct versions seen on the models topic. */
  long versions(String model) {
    return versions.getOrDefault(model, Map.of()).size();
  }

  ModelReplica replica(String model) {
    return requireNonNull(replicas.get(model), model);
  }

  Pipeline pipeline() {
    return pipeline;
  }

  /**
   * Waits until all that the job wrote has been seen.
   *
   * @param patience how long to wait while nothing comes
   * @return true if it has; not if a transaction stayed open
   */
  boolean catchUp(Duration patience) throws Exception {
    return TopicFollower.catchUp(topics, patience, letterFollower, metricFollower, versionFollower);
  }

  @Override
  public void close() {
    replicas.values().forEach(ModelReplica::close);
    letterFollower.close();
    metricFollower.close();
    versionFollower.close();
  }
}
