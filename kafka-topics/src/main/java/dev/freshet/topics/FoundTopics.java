package dev.freshet.topics;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * The topics of a pipeline as brokers tell of them.
 *
 * @param there by name
 * @param hidden names of which it is not known whether they are absent or may not be seen
 */
record FoundTopics(Map<String, TopicDescription> there, Set<String> hidden) {

  /**
   * Asks for the topics of plans, and for this user's rights on them.
   *
   * @throws ExecutionException if the brokers answer something unforeseen
   */
  static FoundTopics find(Admin admin, List<TopicPlan> plans)
      throws ExecutionException, InterruptedException {
    Map<String, TopicDescription> there = new HashMap<>();
    Set<String> hidden = new HashSet<>();
    var asked =
        admin.describeTopics(
            plans.stream().map(TopicPlan::name).toList(),
            new DescribeTopicsOptions().includeAuthorizedOperations(true));
    for (Map.Entry<String, KafkaFuture<TopicDescription>> e : asked.topicNameValues().entrySet()) {
      try {
        there.put(e.getKey(), e.getValue().get());
      } catch (ExecutionException failed) {
        if (failed.getCause() instanceof AuthorizationException) {
          hidden.add(e.getKey());
        } else if (!(failed.getCause() instanceof UnknownTopicOrPartitionException)) {
          throw failed;
        }
      }
    }
    return new FoundTopics(there, hidden);
  }

  /** A topic as it is; empty if it is not there, or hidden. */
  Optional<TopicDescription> of(TopicPlan plan) {
    return Optional.ofNullable(there.get(plan.name()));
  }

  boolean hides(TopicPlan plan) {
    return hidden.contains(plan.name());
  }

  /** Replicas of the partition that has the fewest. */
  static int replicas(TopicDescription topic) {
    return topic.partitions().stream()
        .mapToInt(partition -> partition.replicas().size())
        .min()
        .orElse(0);
  }

  /** True if a partition's leader is up. */
  static boolean led(TopicPartitionInfo partition) {
    return partition.leader() != null && !partition.leader().isEmpty();
  }
}
