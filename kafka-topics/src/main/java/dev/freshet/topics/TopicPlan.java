package dev.freshet.topics;

import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.settings.Problems;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.TopicConfig;

/**
 * A topic as a pipeline needs it.
 *
 * @param use its key under {@code kafka.topics}; of several tasks that share one the first's
 * @param partitions that it has at least
 * @param settings with which it is made
 * @param compacted true if it must be, or must not
 * @param chunked true if it takes chunks of {@code publishing.chunk}
 * @param access of the job to it
 */
record TopicPlan(
    String name,
    String use,
    int partitions,
    Map<String, String> settings,
    boolean compacted,
    boolean chunked,
    List<AclOperation> access) {

  private static final Map<String, String> COMPACTED =
      Map.of(
          TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT,
          TopicConfig.SEGMENT_BYTES_CONFIG, "67108864",
          TopicConfig.SEGMENT_MS_CONFIG, "60000",
          TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_CONFIG, "0.3",
          TopicConfig.MAX_COMPACTION_LAG_MS_CONFIG, "120000");

  /**
   * All topics of a pipeline.
   *
   * @param eventPartitions of the topics of events and examples, if they are made
   * @param modelPartitions of those that have one for each model
   */
  static List<TopicPlan> of(Pipeline pipeline, int eventPartitions, int modelPartitions) {
    Map<String, TopicPlan> plans = new LinkedHashMap<>();
    for (SystemTopic topic : SystemTopic.values()) {
      pipeline
          .named(topic)
          .ifPresent(name -> plans.put(name, of(topic, name, eventPartitions, modelPartitions)));
    }
    for (Task task : pipeline.tasks()) {
      String name = pipeline.topic(task);
      plans.putIfAbsent(
          name, plain(name, task.name(), eventPartitions, Map.of(), AclOperation.READ));
    }
    return new ArrayList<>(plans.values());
  }

  private static TopicPlan of(SystemTopic topic, String name, int events, int models) {
    return switch (topic) {
      case IMPRESSIONS -> plain(name, topic.key(), events, Map.of(), AclOperation.READ);
      case EXAMPLES -> plain(name, topic.key(), events, Map.of(), AclOperation.WRITE);
      case METRICS, DEAD_LETTERS -> plain(name, topic.key(), 1, Map.of(), AclOperation.WRITE);
      case MODELS ->
          new TopicPlan(
              name,
              topic.key(),
              models,
              COMPACTED,
              true,
              true,
              List.of(AclOperation.READ, AclOperation.WRITE));
      case TRAINING_LOG ->
          new TopicPlan(
              name,
              topic.key(),
              models,
              Map.of(TopicConfig.COMPRESSION_TYPE_CONFIG, "lz4"),
              false,
              true,
              List.of(AclOperation.WRITE));
    };
  }

  /** Its key in the pipeline file. */
  String key() {
    return "kafka.topics." + use;
  }

  /** Adds that this user has no right to do something with it. */
  void lacks(AclOperation operation, Problems problems) {
    problems.add(key(), name, "a topic on which this user has the right " + operation);
  }

  /** True if events are read from it. */
  boolean isEvents() {
    return access.equals(List.of(AclOperation.READ));
  }

  private static TopicPlan plain(
      String name, String use, int partitions, Map<String, String> settings, AclOperation access) {
    return new TopicPlan(name, use, partitions, settings, false, false, List.of(access));
  }
}
