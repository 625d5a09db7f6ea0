package dev.freshet.topics;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.settings.Durations;
import dev.freshet.core.settings.Problems;
import dev.freshet.topics.ModelPartitions.Claim;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Makes a pipeline's topics, and says what is wrong with them. */
public final class TopicAdmin implements AutoCloseable {

  /** Bytes of a message beside the chunk in it: key, headers and the batch around them. */
  private static final int AROUND_A_CHUNK = 1024;

  private static final Duration LONGEST_UNTIL_KNOWN = Duration.ofSeconds(30);

  private static final String KEY = "kafka.topics.";

  private static final String LONGEST_TRANSACTION = "transaction.max.timeout.ms";

  /** A member that no group has. */
  private static final String NOBODY = "freshet-start-check";

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
    Found found = find(plans(eventPartitions, 1));
    Problems problems = new Problems();
    int modelPartitions = 0;
    try {
      modelPartitions = ModelPartitions.needed(pipeline, claims(found, problems));
      new Neighbours(pipeline, admin).check(found.topics(), problems, warnings);
      problems.throwIfAny(pipeline.pipeline());
    } catch (AuthorizationException e) {
      TopicPlan.of(pipeline, 1, 1).stream()
          .filter(plan -> plan.use().equals(SystemTopic.MODELS.key()))
          .forEach(plan -> permission(plan, AclOperation.READ, problems));
      problems.throwIfAny(pipeline.pipeline());
    }
    List<String> made = new ArrayList<>();
    List<TopicPlan> plans = plans(eventPartitions, modelPartitions);
    for (TopicPlan plan : plans) {
      TopicDescription topic = found.topics().get(plan.name());
      if (topic == null) {
        NewTopic missing =
            new NewTopic(plan.name(), Optional.of(plan.partitions()), replication)
                .configs(settings(plan, replication, warnings));
        int before = problems.found().size();
        if (done(admin.createTopics(List.of(missing)).all(), plan, AclOperation.CREATE, problems)) {
          made.add("topic %s, %d partitions".formatted(plan.name(), plan.partitions()));
        } else if (plan.chunked() && problems.found().size() == before && hidden(found, plan)) {
          // It is there, and whether it has partitions enough is not to be seen.
          permission(plan, AclOperation.ALTER, problems);
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
    Found found = find(plans);
    return plans.stream()
        .filter(plan -> !hidden(found, plan))
        .allMatch(
            plan -> {
              TopicDescription topic = found.topics().get(plan.name());
              return topic != null
                  && (!plan.chunked() || topic.partitions().size() >= plan.partitions())
                  && topic.partitions().stream().allMatch(TopicAdmin::led);
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
          "%s%s: %s is made with %s %d, not %d: it has no more replicas"
              .formatted(
                  KEY,
                  plan.use(),
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
   * Whether this has made something; not if somebody else was quicker, or if there is a problem.
   */
  private static boolean done(
      KafkaFuture<Void> making, TopicPlan plan, AclOperation needed, Problems problems)
      throws ExecutionException, InterruptedException {
    try {
      making.get();
      return true;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof AuthorizationException) {
        permission(plan, needed, problems);
      } else if (e.getCause() instanceof InvalidConfigurationException
          || e.getCause() instanceof InvalidReplicationFactorException
          || e.getCause() instanceof PolicyViolationException) {
        problems.add(
            KEY + plan.use(),
            plan.name(),
            "a topic that brokers make: " + e.getCause().getMessage());
      } else if (!(e.getCause() instanceof TopicExistsException)) {
        throw e;
      }
      return false;
    }
  }

  private static void permission(TopicPlan plan, AclOperation operation, Problems problems) {
    problems.add(
        KEY + plan.use(), plan.name(), "a topic on which this user has the right " + operation);
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
    Found found = find(plans(1, 1));
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
      TopicDescription topic = found.topics().get(plan.name());
      if (topic != null) {
        partitions(plan, topic, problems);
        replicas(plan, topic, warnings);
        permissions(plan, topic, problems);
      } else if (hidden(found, plan)) {
        plan.access().forEach(operation -> permission(plan, operation, problems));
      } else {
        problems.add(KEY + plan.use(), plan.name(), "a topic that is there" + MAKES_IT);
      }
    }
    settings(
        plans.stream().filter(plan -> found.topics().containsKey(plan.name())).toList(),
        found,
        problems,
        warnings);
    new Neighbours(pipeline, admin).check(found.topics(), problems, warnings);
    group(problems);
    transactions(problems);
    return claims;
  }

  private List<TopicPlan> plans(int eventPartitions, int modelPartitions) {
    return TopicPlan.of(pipeline, eventPartitions, modelPartitions);
  }

  /** Topics that are there; of others whether they are absent or may not be seen is not known. */
  private record Found(Map<String, TopicDescription> topics, Set<String> hidden) {}

  private static boolean hidden(Found found, TopicPlan plan) {
    return found.hidden().contains(plan.name());
  }

  private Found find(List<TopicPlan> plans) throws ExecutionException, InterruptedException {
    Found found = new Found(new HashMap<>(), new HashSet<>());
    var asked =
        admin.describeTopics(
            plans.stream().map(TopicPlan::name).toList(),
            new DescribeTopicsOptions().includeAuthorizedOperations(true));
    for (Map.Entry<String, KafkaFuture<TopicDescription>> e : asked.topicNameValues().entrySet()) {
      try {
        found.topics().put(e.getKey(), e.getValue().get());
      } catch (ExecutionException failed) {
        if (failed.getCause() instanceof AuthorizationException) {
          found.hidden().add(e.getKey());
        } else if (!(failed.getCause() instanceof UnknownTopicOrPartitionException)) {
          throw failed;
        }
      }
    }
    return found;
  }

  /**
   * Which models are on the models topic; adds those that are another pipeline's.
   *
   * @throws AuthorizationException if it may not be read
   */
  private SortedMap<Integer, Claim> claims(Found found, Problems problems) {
    String topic = pipeline.topic(SystemTopic.MODELS);
    if (!found.topics().containsKey(topic)) {
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
          KEY + plan.use() + ".partitions",
          Integer.toString(size),
          "at least "
              + plan.partitions()
              + ", one for each model that it has or had; `./freshet topics create` adds them");
    }
    topic.partitions().stream()
        .filter(partition -> !led(partition))
        .forEach(
            partition ->
                problems.add(
                    KEY + plan.use() + ".partitions[" + partition.partition() + "]",
                    plan.name(),
                    "a partition whose leader is up"));
  }

  private static boolean led(TopicPartitionInfo partition) {
    return partition.leader() != null && !partition.leader().isEmpty();
  }

  /** Replicas of the partition that has the fewest. */
  private static int fewest(TopicDescription topic) {
    return topic.partitions().stream()
        .mapToInt(partition -> partition.replicas().size())
        .min()
        .orElse(0);
  }

  private void replicas(TopicPlan plan, TopicDescription topic, List<String> warnings) {
    Integer wanted = pipeline.kafka().replicationFactor();
    int replicas = fewest(topic);
    if (wanted != null && replicas < wanted) {
      warnings.add(
          "%s%s: %s has %d replicas of a partition, fewer than kafka.replication-factor, %d: a broker"
                  .formatted(KEY, plan.use(), plan.name(), replicas, wanted)
              + " that is lost takes more with it (kafka-reassign-partitions adds replicas)");
    }
  }

  private void insync(
      TopicPlan plan, int replicas, Config config, Problems problems, List<String> warnings) {
    String key = TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG;
    int insync = Integer.parseInt(config.get(key).value());
    if (insync > replicas && !plan.isEvents()) {
      problems.add(
          KEY + plan.use() + "." + key,
          Integer.toString(insync),
          "at most "
              + replicas
              + ", the replicas that there are: nothing can be written otherwise");
    }
    Integer wanted = pipeline.kafka().minInsyncReplicas();
    if (wanted != null && insync < wanted) {
      warnings.add(
          "%s%s: %s has %s %d, fewer than kafka.min-insync-replicas, %d: what counts as written may be"
                  .formatted(KEY, plan.use(), plan.name(), key, insync, wanted)
              + " on fewer brokers");
    }
  }

  private static void permissions(TopicPlan plan, TopicDescription topic, Problems problems) {
    if (topic.authorizedOperations() == null) {
      return; // These brokers do not tell.
    }
    for (AclOperation operation : plan.access()) {
      if (!topic.authorizedOperations().contains(operation)) {
        permission(plan, operation, problems);
      }
    }
  }

  private void settings(
      List<TopicPlan> plans, Found found, Problems problems, List<String> warnings)
      throws ExecutionException, InterruptedException {
    Map<ConfigResource, TopicPlan> asked = new HashMap<>();
    plans.forEach(
        plan -> asked.put(new ConfigResource(ConfigResource.Type.TOPIC, plan.name()), plan));
    for (var e : admin.describeConfigs(asked.keySet()).values().entrySet()) {
      TopicPlan plan = requireNonNull(asked.get(e.getKey()));
      try {
        settings(plan, e.getValue().get(), problems);
        insync(
            plan,
            fewest(requireNonNull(found.topics().get(e.getKey().name()))),
            e.getValue().get(),
            problems,
            warnings);
        if (plan.isEvents()) {
          retention(plan, e.getValue().get(), warnings);
        }
      } catch (ExecutionException failed) {
        // Who may not see settings may still have the right ones.
        if (!(failed.getCause() instanceof AuthorizationException)) {
          throw failed;
        }
      }
    }
  }

  private void settings(TopicPlan plan, Config config, Problems problems) {
    String at = KEY + plan.use() + ".";
    String policy = config.get(TopicConfig.CLEANUP_POLICY_CONFIG).value();
    boolean compacted = policy.contains(TopicConfig.CLEANUP_POLICY_COMPACT);
    if (plan.compacted() && !policy.equals(TopicConfig.CLEANUP_POLICY_COMPACT)) {
      problems.add(
          at + TopicConfig.CLEANUP_POLICY_CONFIG,
          policy,
          "compact: with anything else whole versions are gone after the retention time");
    } else if (!plan.compacted() && compacted) {
      problems.add(
          at + TopicConfig.CLEANUP_POLICY_CONFIG,
          policy,
          "delete: messages of one key are not versions of one another here");
    }
    long largest = Long.parseLong(config.get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG).value());
    long chunk = pipeline.publishing().chunk().bytes() + AROUND_A_CHUNK;
    if (plan.chunked() && largest < chunk) {
      problems.add(
          at + TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
          Long.toString(largest),
          "at least " + chunk + ", for chunks as in publishing.chunk");
    }
  }

  /**
   * A job reads each event once, so short retention is no fault as long as it runs. Told is what it
   * costs when it does not.
   */
  private void retention(TopicPlan plan, Config config, List<String> warnings) {
    String at = "kafka.topics." + plan.use() + ": " + plan.name() + " has ";
    long millis = Long.parseLong(config.get(TopicConfig.RETENTION_MS_CONFIG).value());
    Duration kept = Duration.ofMillis(millis);
    Duration needed =
        Task.horizon(pipeline.tasks())
            .plus(pipeline.labels().orphanWait())
            .plus(pipeline.labels().disorder());
    if (millis >= 0 && kept.compareTo(needed) < 0) {
      warnings.add(
          at
              + TopicConfig.RETENTION_MS_CONFIG
              + " "
              + millis
              + " ("
              + Durations.written(kept)
              + "), less than the "
              + Durations.written(needed)
              + " that windows, labels.orphan-wait and labels.disorder add up to: a job that has stood"
              + " for longer goes on without what is gone, and one that starts without its checkpoint"
              + " cannot learn again what was under way");
    }
    long bytes = Long.parseLong(config.get(TopicConfig.RETENTION_BYTES_CONFIG).value());
    if (bytes >= 0) {
      warnings.add(
          at
              + TopicConfig.RETENTION_BYTES_CONFIG
              + " "
              + bytes
              + " a partition: how long events stay depends on how many come");
    }
  }

  /**
   * Asks for something that needs the right and changes nothing, because brokers tell of no rights
   * on groups that are not there yet: that a member leaves which there is not.
   */
  private void group(Problems problems) throws ExecutionException, InterruptedException {
    String group = pipeline.consumerGroup();
    var nobody = new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove(NOBODY)));
    try {
      admin.removeMembersFromConsumerGroup(group, nobody).all().get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof AuthorizationException) {
        problems.add("consumer group", group, "a group on which this user has the right READ");
      } else if (e.getCause() instanceof TimeoutException) {
        throw e;
      }
    }
  }

  /** Opens what the sinks open: whether that is permitted is the brokers' to judge. */
  private void transactions(Problems problems) throws ExecutionException, InterruptedException {
    String timeout = Transactions.timeout(pipeline);
    Optional<Long> longest = longestTransaction();
    if (longest.isPresent() && Long.parseLong(timeout) > longest.get()) {
      problems.add(
          "kafka.properties." + ProducerConfig.TRANSACTION_TIMEOUT_CONFIG,
          timeout,
          "at most " + longest.get() + ", the brokers' " + LONGEST_TRANSACTION);
      return;
    }
    String prefix = Transactions.prefix(pipeline);
    Map<String, Object> settings =
        Map.of(
            ProducerConfig.TRANSACTIONAL_ID_CONFIG,
            prefix + "start",
            ProducerConfig.TRANSACTION_TIMEOUT_CONFIG,
            timeout);
    try (KafkaProducer<byte[], byte[]> producer = KafkaClients.producer(pipeline, settings)) {
      producer.initTransactions();
    } catch (InterruptException e) {
      throw e;
    } catch (KafkaException e) {
      boolean forbidden =
          e instanceof AuthorizationException || e.getCause() instanceof AuthorizationException;
      problems.add(
          "transactional ids",
          prefix,
          forbidden
              ? "a prefix on which this user has the right WRITE"
              : "ids that brokers open: " + e.getMessage());
    }
  }

  /** What the brokers allow; empty if this user may not see it. */
  private Optional<Long> longestTransaction() throws ExecutionException, InterruptedException {
    ConfigResource broker =
        new ConfigResource(
            ConfigResource.Type.BROKER,
            admin.describeCluster().nodes().get().iterator().next().idString());
    try {
      Config config =
          requireNonNull(admin.describeConfigs(List.of(broker)).all().get().get(broker));
      return Optional.ofNullable(config.get(LONGEST_TRANSACTION))
          .map(entry -> Long.valueOf(entry.value()));
    } catch (ExecutionException e) {
      if (e.getCause() instanceof AuthorizationException) {
        return Optional.empty();
      }
      throw e;
    }
  }

  @Override
  public void close() {
    admin.close();
  }
}
