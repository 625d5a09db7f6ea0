package dev.freshet.topics;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.settings.Problems;
import dev.freshet.topics.ModelPartitions.Claim;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.TopicExistsException;

/** Makes a pipeline's topics, and says what is wrong with them. */
public final class TopicAdmin implements AutoCloseable {

  private static final Duration LONGEST_UNTIL_KNOWN = Duration.ofSeconds(30);

  private static final String MAKES_IT = "; `./freshet topics create` makes it";

  private final Pipeline pipeline;
  private final Admin admin;

  /** Connects to the pipeline's brokers. */
  public TopicAdmin(Pipeline pipeline) {
    this.pipeline = pipeline;
    admin = Admin.create(KafkaClients.settings(pipeline));
  }

  /**
   * Makes what is missing: topics, and partitions for models that have none.
   *
   * @param eventPartitions of topics of events that are made
   * @param asked replication factor of topics that are made; empty for the pipeline's, and if it
   *     has none the brokers'
   * @param warnings takes what is no problem, and should be known
   * @return what was made, for people
   * @throws dev.freshet.core.settings.InvalidSettingsException with all that could not be made
   * @throws ExecutionException if the brokers answer something unforeseen
   */
  public List<String> create(int eventPartitions, Optional<Short> asked, List<String> warnings)
      throws ExecutionException, InterruptedException {
    Optional<Short> replication =
        asked.or(
            () ->
                Optional.ofNullable(pipeline.kafka().replicationFactor()).map(Integer::shortValue));
    FoundTopics found = FoundTopics.find(admin, plans(eventPartitions, 1));
    Problems problems = new Problems();
    int modelPartitions = 0;
    try {
      modelPartitions = ModelPartitions.needed(pipeline, claims(found, problems));
      new Neighbours(pipeline, admin).check(found.there(), problems, warnings);
      problems.throwIfAny(pipeline.pipeline());
    } catch (AuthorizationException e) {
      TopicPlan.of(pipeline, 1, 1).stream()
          .filter(plan -> plan.use().equals(SystemTopic.MODELS.key()))
          .forEach(plan -> plan.lacks(AclOperation.READ, problems));
      problems.throwIfAny(pipeline.pipeline());
    }
    List<String> made = new ArrayList<>();
    List<TopicPlan> plans = plans(eventPartitions, modelPartitions);
    for (TopicPlan plan : plans) {
      TopicDescription topic = found.of(plan).orElse(null);
      if (topic == null) {
        NewTopic missing =
            new NewTopic(plan.name(), Optional.of(plan.partitions()), replication)
                .configs(settings(plan, replication, warnings));
        int before = problems.found().size();
        if (done(admin.createTopics(List.of(missing)).all(), plan, AclOperation.CREATE, problems)) {
          made.add("topic %s, %d partitions".formatted(plan.name(), plan.partitions()));
        } else if (plan.chunked() && problems.found().size() == before && found.hides(plan)) {
          // It is there, and whether it has partitions enough is not to be seen.
          plan.lacks(AclOperation.ALTER, problems);
        }
      } else if (plan.chunked() && topic.partitions().size() < plan.partitions()) {
        var more = Map.of(plan.name(), NewPartitions.increaseTo(plan.partitions()));
        if (done(admin.createPartitions(more).all(), plan, AclOperation.ALTER, problems)) {
          made.add(
              "topic %s, now %d partitions instead of %d"
                  .formatted(plan.name(), plan.partitions(), topic.partitions().size()));
        }
      }
    }
    problems.throwIfAny(pipeline.pipeline());
    if (!made.isEmpty()) {
      awaitKnown(plans);
    }
    return made;
  }

  /**
   * What a controller has made is known to brokers a moment later, and on a busy one later still.
   */
  private void awaitKnown(List<TopicPlan> plans) throws ExecutionException, InterruptedException {
    long limit = System.nanoTime() + LONGEST_UNTIL_KNOWN.toNanos();
    while (!known(plans) && System.nanoTime() < limit) {
      TimeUnit.MILLISECONDS.sleep(50);
    }
  }

  private boolean known(List<TopicPlan> plans) throws ExecutionException, InterruptedException {
    FoundTopics found = FoundTopics.find(admin, plans);
    return plans.stream()
        .filter(plan -> !found.hides(plan))
        .allMatch(
            plan -> {
              TopicDescription topic = found.of(plan).orElse(null);
              return topic != null
                  && (!plan.chunked() || topic.partitions().size() >= plan.partitions())
                  && topic.partitions().stream().allMatch(FoundTopics::led);
            });
  }

  private Map<String, String> settings(
      TopicPlan plan, Optional<Short> replication, List<String> warnings) {
    Integer wanted = pipeline.kafka().minInsyncReplicas();
    if (wanted == null) {
      return plan.settings();
    }
    int possible = Math.min(wanted, replication.map(Short::intValue).orElse(wanted));
    if (possible < wanted) {
      warnings.add(
          "%s: %s is made with %s %d, not %d: it has no more replicas"
              .formatted(
                  plan.key(),
                  plan.name(),
                  TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG,
                  possible,
                  wanted));
    }
    Map<String, String> settings = new HashMap<>(plan.settings());
    settings.put(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, Integer.toString(possible));
    return settings;
  }

  /**
   * True if this has made something; not if somebody else was quicker, or if there is a problem.
   */
  private static boolean done(
      KafkaFuture<Void> making, TopicPlan plan, AclOperation needed, Problems problems)
      throws ExecutionException, InterruptedException {
    try {
      making.get();
      return true;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof AuthorizationException) {
        plan.lacks(needed, problems);
      } else if (e.getCause() instanceof InvalidConfigurationException
          || e.getCause() instanceof InvalidReplicationFactorException
          || e.getCause() instanceof PolicyViolationException) {
        problems.add(
            plan.key(), plan.name(), "a topic that brokers make: " + e.getCause().getMessage());
      } else if (!(e.getCause() instanceof TopicExistsException)) {
        throw e;
      }
      return false;
    }
  }

  /**
   * Adds everything that would keep the job from running, or from running well.
   *
   * @param warnings takes what is no problem, and should be known
   * @return what is claimed on the models topic, as far as it can be read
   * @throws ExecutionException if the brokers answer something unforeseen
   */
  SortedMap<Integer, Claim> check(Problems problems, List<String> warnings)
      throws ExecutionException, InterruptedException {
    FoundTopics found = FoundTopics.find(admin, plans(1, 1));
    SortedMap<Integer, Claim> claims = new TreeMap<>();
    int modelPartitions;
    try {
      claims = claims(found, problems);
      modelPartitions = ModelPartitions.needed(pipeline, claims);
    } catch (AuthorizationException e) {
      // Told as a missing right; whose the partitions are is not known then.
      modelPartitions = pipeline.models().size();
    }
    List<TopicPlan> plans = plans(1, modelPartitions);
    for (TopicPlan plan : plans) {
      TopicDescription topic = found.of(plan).orElse(null);
      if (topic != null) {
        partitions(plan, topic, problems);
        replicas(plan, topic, warnings);
        permissions(plan, topic, problems);
      } else if (found.hides(plan)) {
        plan.access().forEach(operation -> plan.lacks(operation, problems));
      } else {
        problems.add(plan.key(), plan.name(), "a topic that is there" + MAKES_IT);
      }
    }
    new TopicSettingsCheck(pipeline, admin, problems, warnings).check(plans, found);
    new Neighbours(pipeline, admin).check(found.there(), problems, warnings);
    new JobRights(pipeline, admin).check(problems);
    return claims;
  }

  private List<TopicPlan> plans(int eventPartitions, int modelPartitions) {
    return TopicPlan.of(pipeline, eventPartitions, modelPartitions);
  }

  /**
   * Which models are on the models topic; adds those that are another pipeline's.
   *
   * @throws AuthorizationException if it may not be read
   */
  private SortedMap<Integer, Claim> claims(FoundTopics found, Problems problems) {
    String topic = pipeline.topic(SystemTopic.MODELS);
    if (!found.there().containsKey(topic)) {
      return new TreeMap<>();
    }
    try (KafkaConsumer<byte[], byte[]> consumer = ModelPartitions.consumer(pipeline)) {
      SortedMap<Integer, Claim> claims = ModelPartitions.claims(consumer, topic);
      ModelPartitions.taken(pipeline, claims, problems);
      return claims;
    }
  }

  private static void partitions(TopicPlan plan, TopicDescription topic, Problems problems) {
    int size = topic.partitions().size();
    if (size < plan.partitions()) {
      problems.add(
          plan.key() + ".partitions",
          Integer.toString(size),
          "at least "
              + plan.partitions()
              + ", one for each model that it has or had; `./freshet topics create` adds them");
    }
    topic.partitions().stream()
        .filter(partition -> !FoundTopics.led(partition))
        .forEach(
            partition ->
                problems.add(
                    plan.key() + ".partitions[" + partition.partition() + "]",
                    plan.name(),
                    "a partition whose leader is up"));
  }

  private void replicas(TopicPlan plan, TopicDescription topic, List<String> warnings) {
    Integer wanted = pipeline.kafka().replicationFactor();
    int replicas = FoundTopics.replicas(topic);
    if (wanted != null && replicas < wanted) {
      warnings.add(
          "%s: %s has %d replicas of a partition, fewer than kafka.replication-factor, %d: a broker"
                  .formatted(plan.key(), plan.name(), replicas, wanted)
              + " that is lost takes more with it (kafka-reassign-partitions adds replicas)");
    }
  }

  private static void permissions(TopicPlan plan, TopicDescription topic, Problems problems) {
    if (topic.authorizedOperations() == null) {
      return; // These brokers do not tell.
    }
    for (AclOperation operation : plan.access()) {
      if (!topic.authorizedOperations().contains(operation)) {
        plan.lacks(operation, problems);
      }
    }
  }

  @Override
  public void close() {
    admin.close();
  }
}
