package dev.freshet.topics;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.settings.Problems;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Finds other pipelines that write where this one does, and other jobs of its name. Brokers
 * remember for a day who wrote to a partition, and transactional ids name their pipeline. What this
 * user may not see is not judged.
 *
 * <p>Event topics may be read by any number of pipelines. The models topic and the training log may
 * be shared by pipelines whose models have other names; the others can be, but nobody can tell then
 * whose a message is.
 */
final class Neighbours {

  /** Of the sinks that write in transactions: pipeline, topic, and the model if it has one. */
  private static final Pattern ID =
      Pattern.compile(
          "freshet-(.+?)-(models|training-log|dead-letters|examples)(?:-(.+?))?-\\d+-\\d+");

  private static final List<SystemTopic> WRITTEN =
      List.of(
          SystemTopic.MODELS,
          SystemTopic.TRAINING_LOG,
          SystemTopic.DEAD_LETTERS,
          SystemTopic.EXAMPLES);

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration POLL = Duration.ofMillis(200);

  /** So far back the newest records of every trainer are. */
  private static final long TAIL = 1000;

  private final Pipeline pipeline;
  private final Admin admin;

  Neighbours(Pipeline pipeline, Admin admin) {
    this.pipeline = pipeline;
    this.admin = admin;
  }

  void check(Map<String, TopicDescription> there, Problems problems, List<String> warnings)
      throws ExecutionException, InterruptedException {
    Map<SystemTopic, Set<Long>> producers = new HashMap<>();
    Set<Long> all = new HashSet<>();
    for (SystemTopic topic : WRITTEN) {
      TopicDescription description = pipeline.named(topic).map(there::get).orElse(null);
      if (description != null) {
        producers.put(topic, producers(description));
        all.addAll(producers.get(topic));
      }
    }
    if (!all.isEmpty()) {
      Map<Long, String> ids = new HashMap<>();
      for (TransactionListing one :
          transactions(new ListTransactionsOptions().filterProducerIds(all))) {
        ids.put(one.producerId(), one.transactionalId());
      }
      producers.forEach(
          (topic, writers) ->
              writers.forEach(writer -> judge(topic, ids.get(writer), problems, warnings)));
    }
    TopicDescription metrics = there.get(pipeline.topic(SystemTopic.METRICS));
    if (metrics != null) {
      metrics(metrics, warnings);
    }
    sameName(warnings);
    otherTopics(warnings);
  }

  /** Metrics are not written in transactions; the records themselves name their pipeline. */
  private void metrics(TopicDescription topic, List<String> warnings) {
    if (topic.authorizedOperations() != null
        && !topic.authorizedOperations().contains(AclOperation.READ)) {
      return;
    }
    Set<String> others = new TreeSet<>();
    try (KafkaConsumer<byte[], byte[]> consumer = ModelPartitions.consumer(pipeline)) {
      List<TopicPartition> all = partitions(topic);
      consumer.assign(all);
      Map<TopicPartition, Long> begin = consumer.beginningOffsets(all);
      Map<TopicPartition, Long> end = consumer.endOffsets(all);
      all.forEach(
          one ->
              consumer.seek(
                  one,
                  Math.max(requireNonNull(begin.get(one)), requireNonNull(end.get(one)) - TAIL)));
      long deadline = System.nanoTime() + KafkaClients.patience(pipeline).toNanos();
      while (all.stream().anyMatch(one -> consumer.position(one) < requireNonNull(end.get(one)))
          && System.nanoTime() < deadline) {
        consumer.poll(POLL).forEach(message -> others.add(pipelineOf(message.value())));
      }
    }
    others.removeAll(List.of("", pipeline.pipeline()));
    for (String other : others) {
      warnings.add(
          "kafka.topics.metrics: pipeline %s writes to %s as well; each record names its pipeline"
              .formatted(other, topic.name()));
    }
  }

  private static String pipelineOf(byte[] record) {
    try {
      return JSON.readTree(record).path("pipeline").asText();
    } catch (IOException | IllegalArgumentException e) {
      return ""; // none of ours
    }
  }

  private static List<TopicPartition> partitions(TopicDescription topic) {
    return topic.partitions().stream()
        .map(partition -> new TopicPartition(topic.name(), partition.partition()))
        .toList();
  }

  private void judge(
      SystemTopic topic, @Nullable String id, Problems problems, List<String> warnings) {
    Matcher sink = id == null ? null : ID.matcher(id);
    if (sink == null || !sink.matches() || sink.group(1).equals(pipeline.pipeline())) {
      return;
    }
    String other = sink.group(1);
    if (topic == SystemTopic.MODELS || topic == SystemTopic.TRAINING_LOG) {
      String model = sink.group(3);
      if (pipeline.models().stream().map(ModelDefinition::name).anyMatch(n -> n.equals(model))) {
        ModelPartitions.taken(pipeline, topic, model, other, problems);
      }
      return;
    }
    String warning =
        "kafka.topics.%s: pipeline %s writes to %s as well, and nobody can tell whose a message is"
            .formatted(topic.key(), other, pipeline.topic(topic));
    if (!warnings.contains(warning)) {
      warnings.add(warning);
    }
  }

  /** Who has written to a topic; nobody if this user may not ask. */
  private Set<Long> producers(TopicDescription topic)
      throws ExecutionException, InterruptedException {
    Set<Long> producers = new HashSet<>();
    List<TopicPartition> partitions = partitions(topic);
    var asked = admin.describeProducers(partitions);
    for (TopicPartition partition : partitions) {
      known(asked.partitionResult(partition), state -> state.activeProducers())
          .forEach(producer -> producers.add(producer.producerId()));
    }
    return producers;
  }

  /** Jobs of the same name take each other's transactional ids away, and so abort each other. */
  private void sameName(List<String> warnings) throws ExecutionException, InterruptedException {
    boolean open =
        transactions(new ListTransactionsOptions().filterStates(Set.of(TransactionState.ONGOING)))
            .stream()
            .map(one -> ID.matcher(one.transactionalId()))
            .anyMatch(id -> id.matches() && id.group(1).equals(pipeline.pipeline()));
    if (open) {
      warnings.add(
          "transactions of a pipeline %s are open: a job of this name runs, or was killed a while ago;"
                  .formatted(pipeline.pipeline())
              + " two jobs of one name abort each other's transactions");
    }
  }

  /** Warns of another pipeline of the same name, by the topics that the group has read. */
  private void otherTopics(List<String> warnings) throws ExecutionException, InterruptedException {
    String group = pipeline.consumerGroup();
    Set<String> read = new TreeSet<>();
    known(
            admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata(),
            offsets -> offsets.keySet())
        .forEach(partition -> read.add(partition.topic()));
    read.remove(pipeline.topic(SystemTopic.IMPRESSIONS));
    read.removeAll(pipeline.feedbackTopics().keySet());
    if (!read.isEmpty()) {
      warnings.add(
          "consumer group %s has read %s, which this pipeline does not: another one has the name %s,"
                  .formatted(group, String.join(", ", read), pipeline.pipeline())
              + " or its topics were changed");
    }
  }

  private List<TransactionListing> transactions(ListTransactionsOptions options)
      throws ExecutionException, InterruptedException {
    return List.copyOf(known(admin.listTransactions(options).all(), all -> all));
  }

  private interface Part<T, E> {
    Iterable<E> of(T whole);
  }

  /**
   * Answers of the brokers; nothing if they do not, for want of a right or because they are too
   * old.
   */
  private static <T, E> List<E> known(KafkaFuture<T> asked, Part<T, E> part)
      throws ExecutionException, InterruptedException {
    List<E> all = new ArrayList<>();
    try {
      T told = asked.get();
      part.of(told).forEach(all::add);
    } catch (ExecutionException e) {
      boolean notTold =
          e.getCause() instanceof ApiException && !(e.getCause() instanceof TimeoutException);
      if (!notTold) {
        throw e;
      }
    }
    return all;
  }
}
