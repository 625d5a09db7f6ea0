package dev.freshet.topics;

import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourceType;

/**
 * One thing that a party has to be allowed to do with Kafka. READ, WRITE and ALTER bring DESCRIBE
 * with them, WRITE on any topic the right to write idempotently.
 *
 * @param on kind of resource that it is a right on
 * @param name of that; of transactional ids a prefix
 */
public record Right(Party who, ResourceType on, String name, AclOperation operation) {

  /** Who has to do with a pipeline's topics. */
  public enum Party {
    /** The job that learns and publishes. */
    TRAINER_JOB,
    /** Who follows a model: servers, and applications with the library. */
    SERVING_REPLICA,
    /** Programs that send impressions and feedback. */
    EVENT_PRODUCER,
    /** Who looks at versions: {@code models}, {@code predict}, {@code reproduce}. */
    OPERATOR,
    /** Who runs {@code topics create}. */
    TOPICS_CREATE;

    /** As it is written. */
    public String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
  }

  /** How the name is meant. */
  public PatternType pattern() {
    return on == ResourceType.TRANSACTIONAL_ID ? PatternType.PREFIXED : PatternType.LITERAL;
  }

  /** The arguments with which {@code kafka-acls} gives it to somebody. */
  public String arguments(String principal) {
    String what =
        switch (on) {
          case GROUP -> "--group ";
          case TRANSACTIONAL_ID -> "--resource-pattern-type prefixed --transactional-id ";
          default -> "--topic ";
        };
    return "--add --allow-principal '%s' --operation %s %s%s"
        .formatted(principal, operation, what, name);
  }

  /** All that a pipeline needs, party by party; no party needs more. */
  public static List<Right> of(Pipeline pipeline) {
    List<Right> all = new ArrayList<>();
    Set<String> events = new LinkedHashSet<>();
    events.add(pipeline.topic(SystemTopic.IMPRESSIONS));
    pipeline.tasks().forEach((Task task) -> events.add(pipeline.topic(task)));
    for (TopicPlan plan : TopicPlan.of(pipeline, 1, 1)) {
      plan.access().forEach(operation -> all.add(topic(Party.TRAINER_JOB, plan.name(), operation)));
    }
    String group = pipeline.consumerGroup();
    all.add(new Right(Party.TRAINER_JOB, ResourceType.GROUP, group, AclOperation.READ));
    String ids = Transactions.prefix(pipeline);
    all.add(new Right(Party.TRAINER_JOB, ResourceType.TRANSACTIONAL_ID, ids, AclOperation.WRITE));
    String models = pipeline.topic(SystemTopic.MODELS);
    all.add(topic(Party.SERVING_REPLICA, models, AclOperation.READ));
    events.forEach(name -> all.add(topic(Party.EVENT_PRODUCER, name, AclOperation.WRITE)));
    all.add(topic(Party.OPERATOR, models, AclOperation.READ));
    if (pipeline.trainingLogTopic() != null) {
      all.add(topic(Party.OPERATOR, pipeline.trainingLogTopic(), AclOperation.READ));
    }
    for (TopicPlan plan : TopicPlan.of(pipeline, 1, 1)) {
      toMake(plan, models)
          .forEach(operation -> all.add(topic(Party.TOPICS_CREATE, plan.name(), operation)));
    }
    return all;
  }

  /** Whose partitions are whose is read from the models topic, and partitions are added. */
  private static Stream<AclOperation> toMake(TopicPlan plan, String models) {
    if (plan.name().equals(models)) {
      return Stream.of(AclOperation.CREATE, AclOperation.READ, AclOperation.ALTER);
    }
    return plan.chunked()
        ? Stream.of(AclOperation.CREATE, AclOperation.ALTER)
        : Stream.of(AclOperation.CREATE);
  }

  private static Right topic(Party who, String name, AclOperation operation) {
    return new Right(who, ResourceType.TOPIC, name, operation);
  }
}
