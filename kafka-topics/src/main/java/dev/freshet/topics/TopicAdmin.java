package dev.freshet.topics;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.settings.Problems;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.DescribeConsumerGroupsOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Makes a pipeline's topics, and says what is wrong with them. */
public final class TopicAdmin implements AutoCloseable {

  /** Bytes of a message beside the chunk in it: key, headers and the batch around them. */
  private static final int AROUND_A_CHUNK = 1024;

  private static final String LONGEST_TRANSACTION = "transaction.max.timeout.ms";

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
   * @param replication factor of topics that are made; empty for the brokers' default
   * @return what was made, for people
   * @throws ExecutionException if the brokers refuse
   */
  public List<String> create(int eventPartitions, Optional<Short> replication)
      throws ExecutionException, InterruptedException {
    Map<String, TopicDescription> there = there(plans(eventPartitions, 1));
    List<String> made = new ArrayList<>();
    List<NewTopic> missing = new ArrayList<>();
    Map<String, NewPartitions> small = new HashMap<>();
    for (TopicPlan plan : plans(eventPartitions, modelPartitions(there))) {
      TopicDescription topic = there.get(plan.name());
      if (topic == null) {
        missing.add(
            new NewTopic(plan.name(), Optional.of(plan.partitions()), replication)
                .configs(plan.settings()));
        made.add("topic %s, %d partitions".formatted(plan.name(), plan.partitions()));
      } else if (plan.chunked() && topic.partitions().size() < plan.partitions()) {
        small.put(plan.name(), NewPartitions.increaseTo(plan.partitions()));
        made.add(
            "topic %s, now %d partitions instead of %d"
                .formatted(plan.name(), plan.partitions(), topic.partitions().size()));
      }
    }
    for (KafkaFuture<Void> one : admin.createTopics(missing).values().values()) {
      try {
        one.get();
      } catch (ExecutionException e) {
        // Somebody else was quicker.
        if (!(e.getCause() instanceof TopicExistsException)) {
          throw e;
        }
      }
    }
    admin.createPartitions(small).all().get();
    return made;
  }

  /**
   * Adds everything that would keep the job from running, or from running well.
   *
   * @throws ExecutionException if the brokers answer something unforeseen
   */
  public void check(Problems problems) throws ExecutionException, InterruptedException {
    Map<String, TopicDescription> there;
    try {
      admin.describeCluster().nodes().get();
      there = there(plans(1, 1));
    } catch (ExecutionException e) {
      problems.add(
          "kafka.bootstrap",
          pipeline.kafka().bootstrap(),
          "brokers that answer, with security as kafka.properties says: " + e.getCause());
      return;
    }
    List<TopicPlan> plans = plans(1, modelPartitions(there));
    for (TopicPlan plan : plans) {
      TopicDescription topic = there.get(plan.name());
      if (topic == null) {
        problems.add(
            "kafka.topics." + plan.use(),
            plan.name(),
            "a topic that is there and that this user may describe" + MAKES_IT);
      } else {
        partitions(plan, topic, problems);
        permissions(plan, topic, problems);
      }
    }
    settings(plans.stream().filter(plan -> there.containsKey(plan.name())).toList(), problems);
    group(problems);
    transactions(problems);
  }

  private List<TopicPlan> plans(int eventPartitions, int modelPartitions) {
    return TopicPlan.of(pipeline, eventPartitions, modelPartitions);
  }

  private Map<String, TopicDescription> there(List<TopicPlan> plans)
      throws ExecutionException, InterruptedException {
    Map<String, TopicDescription> there = new HashMap<>();
    var asked =
        admin.describeTopics(
            plans.stream().map(TopicPlan::name).toList(),
            new DescribeTopicsOptions().includeAuthorizedOperations(true));
    for (Map.Entry<String, KafkaFuture<TopicDescription>> e : asked.topicNameValues().entrySet()) {
      try {
        there.put(e.getKey(), e.getValue().get());
      } catch (ExecutionException failed) {
        boolean absent =
            failed.getCause() instanceof UnknownTopicOrPartitionException
                || failed.getCause() instanceof AuthorizationException;
        if (!absent) {
          throw failed;
        }
      }
    }
    return there;
  }

  private int modelPartitions(Map<String, TopicDescription> there) {
    String topic = pipeline.topic(SystemTopic.MODELS);
    SortedMap<Integer, String> named = new TreeMap<>();
    if (there.containsKey(topic)) {
      try (KafkaConsumer<byte[], byte[]> consumer = ModelPartitions.consumer(pipeline)) {
        named = ModelPartitions.named(consumer, topic);
      } catch (AuthorizationException e) {
        // Told as a missing permission; whose the partitions are is not known then.
        named = new TreeMap<>();
      }
    }
    return ModelPartitions.needed(pipeline, named);
  }

  private static void partitions(TopicPlan plan, TopicDescription topic, Problems problems) {
    int size = topic.partitions().size();
    if (size < plan.partitions()) {
      problems.add(
          "kafka.topics." + plan.use() + ".partitions",
          Integer.toString(size),
          "at least "
              + plan.partitions()
              + ", one for each model that it has or had; `./freshet topics create` adds them");
    }
    topic.partitions().stream()
        .filter(partition -> partition.leader() == null || partition.leader().isEmpty())
        .forEach(
            partition ->
                problems.add(
                    "kafka.topics." + plan.use() + ".partitions[" + partition.partition() + "]",
                    plan.name(),
                    "a partition whose leader is up"));
  }

  private static void permissions(TopicPlan plan, TopicDescription topic, Problems problems) {
    if (topic.authorizedOperations() == null) {
      return; // These brokers do not tell.
    }
    for (AclOperation operation : plan.access()) {
      if (!topic.authorizedOperations().contains(operation)) {
        problems.add(
            "kafka.topics." + plan.use(), plan.name(), "a topic with the permission " + operation);
      }
    }
  }

  private void settings(List<TopicPlan> plans, Problems problems)
      throws ExecutionException, InterruptedException {
    Map<ConfigResource, TopicPlan> asked = new HashMap<>();
    plans.forEach(
        plan -> asked.put(new ConfigResource(ConfigResource.Type.TOPIC, plan.name()), plan));
    for (var e : admin.describeConfigs(asked.keySet()).values().entrySet()) {
      try {
        settings(asked.get(e.getKey()), e.getValue().get(), problems);
      } catch (ExecutionException failed) {
        // Who may not see settings may still have the right ones.
        if (!(failed.getCause() instanceof AuthorizationException)) {
          throw failed;
        }
      }
    }
  }

  private void settings(TopicPlan plan, Config config, Problems problems) {
    String at = "kafka.topics." + plan.use() + ".";
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

  private void group(Problems problems) throws ExecutionException, InterruptedException {
    String group = pipeline.consumerGroup();
    try {
      var described =
          admin
              .describeConsumerGroups(
                  List.of(group),
                  new DescribeConsumerGroupsOptions().includeAuthorizedOperations(true))
              .all()
              .get()
              .get(group);
      boolean may =
          described.authorizedOperations() == null
              || described.authorizedOperations().contains(AclOperation.READ);
      if (!may) {
        problems.add("consumer group", group, "a group with the permission READ");
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof AuthorizationException) {
        problems.add("consumer group", group, "a group with the permission READ");
      } else if (!(e.getCause() instanceof GroupIdNotFoundException)) {
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
    String id = Transactions.prefix(pipeline) + "start";
    Map<String, Object> settings = KafkaClients.settings(pipeline);
    settings.remove(CommonClientConfigs.DEFAULT_API_TIMEOUT_MS_CONFIG);
    settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, id);
    settings.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, timeout);
    settings.put(
        ProducerConfig.MAX_BLOCK_MS_CONFIG,
        settings.get(CommonClientConfigs.REQUEST_TIMEOUT_MS_CONFIG));
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer.initTransactions();
    } catch (KafkaException e) {
      boolean forbidden =
          e instanceof AuthorizationException || e.getCause() instanceof AuthorizationException;
      problems.add(
          "transactional id",
          id,
          forbidden ? "a prefix with the permission WRITE" : "one that brokers open: " + e);
    }
  }

  /** What the brokers allow; empty if this user may not see it. */
  private Optional<Long> longestTransaction() throws ExecutionException, InterruptedException {
    ConfigResource broker =
        new ConfigResource(
            ConfigResource.Type.BROKER,
            admin.describeCluster().nodes().get().iterator().next().idString());
    try {
      Config config = admin.describeConfigs(List.of(broker)).all().get().get(broker);
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
