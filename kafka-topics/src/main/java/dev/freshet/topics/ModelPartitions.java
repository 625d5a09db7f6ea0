package dev.freshet.topics;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.settings.Problems;
import dev.freshet.core.settings.Problems.Problem;
import dev.freshet.core.snapshot.ModelRecords;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * Which partition of the models topic is whose. A partition belongs to the model that its first
 * message names, for ever; so models may be removed, added and put in another order, and all others
 * stay where they are. The training log uses the same numbers.
 *
 * <p>Topics from before partitions were named need nothing: their messages' keys begin with the
 * model's name too.
 */
public final class ModelPartitions {

  private static final Duration POLL = Duration.ofMillis(200);
  private static final long ANSWER_NANOS = Duration.ofSeconds(15).toNanos();

  private ModelPartitions() {}

  /**
   * Content of the first message of a partition.
   *
   * @param pipeline that trains the model; null for names from before that was written
   */
  record Claim(String model, @Nullable String pipeline) {}

  /**
   * The model of each partition that has one.
   *
   * @param consumer that is left without an assignment
   * @throws TimeoutException if the topic is not there, or its brokers do not answer
   */
  public static SortedMap<Integer, String> named(
      KafkaConsumer<byte[], byte[]> consumer, String topic) {
    return models(claims(consumer, topic));
  }

  private static SortedMap<Integer, String> models(SortedMap<Integer, Claim> claims) {
    SortedMap<Integer, String> models = new TreeMap<>();
    claims.forEach((partition, claim) -> models.put(partition, claim.model()));
    return models;
  }

  /** As {@link #named}, with the pipelines. */
  static SortedMap<Integer, Claim> claims(KafkaConsumer<byte[], byte[]> consumer, String topic) {
    List<TopicPartition> all = partitions(consumer, topic);
    consumer.assign(all);
    try {
      return claims(consumer, all);
    } finally {
      // Nor is anything left paused, which a partition that stays assigned would be.
      consumer.assign(List.of());
    }
  }

  private static SortedMap<Integer, Claim> claims(
      KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> all) {
    long deadline = System.nanoTime() + ANSWER_NANOS;
    consumer.seekToBeginning(all);
    Map<TopicPartition, Long> ends = consumer.endOffsets(all);
    Set<TopicPartition> open = new HashSet<>(all);
    SortedMap<Integer, Claim> named = new TreeMap<>();
    open.removeIf(partition -> consumer.position(partition) >= requireNonNull(ends.get(partition)));
    while (!open.isEmpty()) {
      for (ConsumerRecord<byte[], byte[]> message : consumer.poll(POLL)) {
        ModelRecords.model(message.key())
            .ifPresent(model -> named.putIfAbsent(message.partition(), claim(model, message)));
      }
      List<TopicPartition> done =
          open.stream()
              .filter(
                  p ->
                      named.containsKey(p.partition())
                          || consumer.position(p) >= requireNonNull(ends.get(p)))
              .toList();
      consumer.pause(done);
      done.forEach(open::remove);
      if (!open.isEmpty() && System.nanoTime() > deadline) {
        throw new TimeoutException("the first messages of " + open + " do not come");
      }
    }
    return named;
  }

  private static Claim claim(String model, ConsumerRecord<byte[], byte[]> message) {
    Header pipeline = message.headers().lastHeader(ModelRecords.PIPELINE);
    return new Claim(
        model, pipeline == null ? null : new String(pipeline.value(), StandardCharsets.UTF_8));
  }

  /** Adds a problem for each model of a pipeline that is another pipeline's already. */
  static void taken(Pipeline pipeline, SortedMap<Integer, Claim> claims, Problems problems) {
    for (Claim claim : claims.values()) {
      if (claim.pipeline() != null
          && !claim.pipeline().equals(pipeline.pipeline())
          && models(pipeline).contains(claim.model())) {
        taken(pipeline, SystemTopic.MODELS, claim.model(), claim.pipeline(), problems);
      }
    }
  }

  /** Adds the problem that another pipeline has a model of this name on the topic. */
  static void taken(
      Pipeline pipeline, SystemTopic topic, String model, String other, Problems problems) {
    Problem problem =
        new Problem(
            "kafka.topics." + topic.key(),
            pipeline.topic(topic),
            "a topic on which no other pipeline has a model of the same name: "
                + model
                + " is pipeline "
                + other
                + "'s (after a change of the pipeline's name: another topic, or name of the model)");
    if (!problems.found().contains(problem)) {
      problems.add(problem.path(), problem.value(), problem.allowed());
    }
  }

  private static List<TopicPartition> partitions(
      KafkaConsumer<byte[], byte[]> consumer, String topic) {
    List<PartitionInfo> infos = consumer.partitionsFor(topic);
    if (infos == null || infos.isEmpty()) {
      throw new TimeoutException("there is no topic " + topic);
    }
    return infos.stream().map(info -> new TopicPartition(topic, info.partition())).toList();
  }

  /** Where a model is, of what {@link #named} found. */
  public static OptionalInt of(String model, SortedMap<Integer, String> named) {
    return named.entrySet().stream()
        .filter(e -> e.getValue().equals(model))
        .mapToInt(Map.Entry::getKey)
        .findFirst();
  }

  /**
   * Where each model is to be: where it is, and what is new takes the first that nobody has.
   *
   * @return in the order of {@code models}; numbers may be beyond what the topic has
   */
  static Map<String, Integer> assign(List<String> models, SortedMap<Integer, String> named) {
    Map<String, Integer> assigned = new LinkedHashMap<>();
    Set<Integer> taken = new TreeSet<>(named.keySet());
    models.forEach(model -> of(model, named).ifPresent(at -> assigned.put(model, at)));
    int next = 0;
    Map<String, Integer> inOrder = new LinkedHashMap<>();
    for (String model : models) {
      if (!assigned.containsKey(model)) {
        while (taken.contains(next)) {
          next++;
        }
        taken.add(next);
        assigned.put(model, next);
      }
      inOrder.put(model, assigned.get(model));
    }
    return inOrder;
  }

  /** How many partitions the models topic must have. */
  static int needed(Pipeline pipeline, SortedMap<Integer, Claim> claims) {
    return 1
        + assign(models(pipeline), models(claims)).values().stream()
            .max(Integer::compare)
            .orElse(0);
  }

  private static List<String> models(Pipeline pipeline) {
    return pipeline.models().stream().map(ModelDefinition::name).toList();
  }

  /**
   * Gives every model of a pipeline a partition that no other will get, and says so on the topic.
   * Of two that want the same one at a time, the first to say so has it.
   *
   * @throws IllegalStateException if the topic has too few partitions
   * @throws dev.freshet.core.settings.InvalidSettingsException if another pipeline has one of them
   */
  public static Map<String, Integer> claim(Pipeline pipeline) {
    return claim(pipeline, new TreeMap<>());
  }

  /**
   * As the other one.
   *
   * @param known claims read from the topic a moment ago; read again only if that does not do
   */
  static Map<String, Integer> claim(Pipeline pipeline, SortedMap<Integer, Claim> known) {
    if (models(known).values().containsAll(models(pipeline))) {
      return assign(models(pipeline), models(known));
    }
    String topic = pipeline.topic(SystemTopic.MODELS);
    try (KafkaConsumer<byte[], byte[]> consumer = consumer(pipeline)) {
      while (true) {
        SortedMap<Integer, Claim> claims = claims(consumer, topic);
        Problems problems = new Problems();
        taken(pipeline, claims, problems);
        problems.throwIfAny(pipeline.pipeline());
        SortedMap<Integer, String> named = models(claims);
        Map<String, Integer> assigned = assign(models(pipeline), named);
        if (named.values().containsAll(assigned.keySet())) {
          return assigned;
        }
        int partitions = consumer.partitionsFor(topic).size();
        Map<String, Integer> open = new LinkedHashMap<>(assigned);
        open.keySet().removeAll(named.values());
        if (open.values().stream().anyMatch(at -> at >= partitions)) {
          throw new IllegalStateException("topic " + topic + " has too few partitions");
        }
        say(pipeline, topic, open);
      }
    }
  }

  private static void say(Pipeline pipeline, String topic, Map<String, Integer> claims) {
    Header header =
        new RecordHeader(
            ModelRecords.PIPELINE, pipeline.pipeline().getBytes(StandardCharsets.UTF_8));
    try (KafkaProducer<byte[], byte[]> producer = KafkaClients.producer(pipeline, Map.of())) {
      List<Future<?>> sent = new ArrayList<>();
      claims.forEach(
          (model, partition) ->
              sent.add(
                  producer.send(
                      new ProducerRecord<>(
                          topic,
                          partition,
                          null,
                          ModelRecords.nameKey(model),
                          model.getBytes(StandardCharsets.UTF_8),
                          List.of(header)))));
      for (Future<?> one : sent) {
        one.get();
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException(
          "topic " + topic + " does not take the names of models: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** A consumer for {@link #named}: whoever opened a transaction first has the partition. */
  static KafkaConsumer<byte[], byte[]> consumer(Pipeline pipeline) {
    Map<String, Object> settings = KafkaClients.settings(pipeline);
    settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_uncommitted");
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    settings.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, 64 * 1024);
    return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }
}
