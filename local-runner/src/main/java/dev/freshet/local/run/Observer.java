package dev.freshet.local.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.publishing.ModelRecords;
import dev.freshet.local.broker.Topics;
import dev.freshet.replica.ModelReplica;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/**
 * Watches a running pipeline from outside, through nothing but its topics: events and dead letters
 * are counted, the newest metrics of each model are kept, versions are followed by replicas.
 */
final class Observer implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Pipeline pipeline;
  private final Topics topics;
  private final Map<String, Long> deadLetters = new ConcurrentHashMap<>();
  private final Map<String, JsonNode> metrics = new ConcurrentHashMap<>();
  private final Map<String, Map<String, Boolean>> versions = new ConcurrentHashMap<>();
  private final Map<String, ModelReplica> replicas = new LinkedHashMap<>();
  private final TopicFollower letterFollower;
  private final TopicFollower metricFollower;
  private final TopicFollower versionFollower;

  Observer(Pipeline pipeline, Topics topics) throws IOException {
    this.pipeline = pipeline;
    this.topics = topics;
    letterFollower =
        new TopicFollower(
            pipeline,
            pipeline.topic(SystemTopic.DEAD_LETTERS),
            record -> deadLetters.merge(header(record, "freshet.reason"), 1L, Long::sum));
    metricFollower =
        new TopicFollower(
            pipeline, pipeline.topic(SystemTopic.METRICS), record -> metric(record.value()));
    versionFollower =
        new TopicFollower(pipeline, pipeline.topic(SystemTopic.MODELS), this::version);
    for (ModelDefinition model : pipeline.models()) {
      replicas.put(model.name(), ModelReplica.follow(pipeline, model.name()));
    }
  }

  private static String header(ConsumerRecord<byte[], byte[]> record, String key) {
    Header header = record.headers().lastHeader(key);
    return header == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
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
    if (header(record, "freshet.index").equals("-1") && record.value() != null) {
      ModelRecords.model(record.key())
          .ifPresent(
              model ->
                  versions
                      .computeIfAbsent(model, m -> new ConcurrentHashMap<>())
                      .put(header(record, "freshet.version"), true));
    }
  }

  /** Messages in the event topics. */
  Map<String, Long> events() throws Exception {
    return topics.eventCounts();
  }

  /** Dead letters by reason. */
  Map<String, Long> deadLetters() {
    return Map.copyOf(deadLetters);
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
    return replicas.get(model);
  }

  Pipeline pipeline() {
    return pipeline;
  }

  /** Waits until all that is committed now has been seen. */
  void catchUp() throws InterruptedException {
    Duration timeout = Duration.ofSeconds(20);
    letterFollower.catchUp(timeout);
    metricFollower.catchUp(timeout);
    versionFollower.catchUp(timeout);
  }

  @Override
  public void close() {
    replicas.values().forEach(ModelReplica::close);
    letterFollower.close();
    metricFollower.close();
    versionFollower.close();
  }
}
