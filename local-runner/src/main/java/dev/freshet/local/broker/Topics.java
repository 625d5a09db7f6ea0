package dev.freshet.local.broker;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.topics.TopicAdmin;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartition;

/** Creates a pipeline's topics and tells how far they and their readers are. */
public final class Topics implements AutoCloseable {

  private final Pipeline pipeline;
  private final Admin admin;

  public Topics(Pipeline pipeline) {
    this.pipeline = pipeline;
    Map<String, Object> settings = new HashMap<>(pipeline.kafka().properties());
    settings.put(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, pipeline.kafka().bootstrap());
    admin = Admin.create(settings);
  }

  /** Makes what is missing, on one broker. */
  public void create(int eventPartitions) throws ExecutionException, InterruptedException {
    try (TopicAdmin topics = new TopicAdmin(pipeline)) {
      topics.create(eventPartitions, Optional.of((short) 1), new ArrayList<>());
    }
  }

  /** Of the brokers' cluster. */
  public String clusterId() throws ExecutionException, InterruptedException {
    return admin.describeCluster().clusterId().get();
  }

  /** Impressions and the tasks' feedback topics, each once. */
  public Set<String> eventTopics() {
    Set<String> topics = new LinkedHashSet<>();
    topics.add(pipeline.topic(SystemTopic.IMPRESSIONS));
    topics.addAll(pipeline.feedbackTopics().keySet());
    return topics;
  }

  /** End offset of every partition of the topics. */
  public Map<TopicPartition, Long> ends(Set<String> topics)
      throws ExecutionException, InterruptedException {
    Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
    for (TopicDescription topic : admin.describeTopics(topics).allTopicNames().get().values()) {
      topic
          .partitions()
          .forEach(
              p -> asked.put(new TopicPartition(topic.name(), p.partition()), OffsetSpec.latest()));
    }
    Map<TopicPartition, Long> ends = new HashMap<>();
    for (var e : admin.listOffsets(asked).all().get().entrySet()) {
      ends.put(e.getKey(), e.getValue().offset());
    }
    return ends;
  }

  /** Messages in each event topic: by task name, impressions first. */
  public Map<String, Long> eventCounts() throws ExecutionException, InterruptedException {
    Map<TopicPartition, Long> ends = ends(eventTopics());
    Map<String, Long> counts = new LinkedHashMap<>();
    counts.put("impression", sum(ends, pipeline.topic(SystemTopic.IMPRESSIONS)));
    Set<String> counted = new LinkedHashSet<>();
    pipeline
        .tasks()
        .forEach(
            task -> {
              if (counted.add(pipeline.topic(task))) {
                counts.put(task.name(), sum(ends, pipeline.topic(task)));
              }
            });
    return counts;
  }

  private static long sum(Map<TopicPartition, Long> ends, String topic) {
    return ends.entrySet().stream()
        .filter(e -> e.getKey().topic().equals(topic))
        .mapToLong(Map.Entry::getValue)
        .sum();
  }

  /** True if a completed checkpoint of the job covers everything in the event topics. */
  public boolean allRead() throws ExecutionException, InterruptedException {
    Map<TopicPartition, Long> ends = ends(eventTopics());
    var committed =
        admin
            .listConsumerGroupOffsets(pipeline.consumerGroup())
            .partitionsToOffsetAndMetadata()
            .get();
    return ends.entrySet().stream()
        .allMatch(
            e ->
                e.getValue() == 0
                    || committed.get(e.getKey()) != null
                        && committed.get(e.getKey()).offset() >= e.getValue());
  }

  @Override
  public void close() {
    admin.close();
  }
}
