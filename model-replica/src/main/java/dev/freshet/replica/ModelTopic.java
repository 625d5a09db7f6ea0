package dev.freshet.replica;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.ModelRecords;
import dev.freshet.topics.ModelPartitions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the messages of one model from a topic, from the beginning, committed ones only. One thread
 * at a time, {@link #wakeup} excepted.
 */
public final class ModelTopic implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ModelTopic.class);

  private static final int API_TIMEOUT_MS = 10_000;

  /** Small chunks come many at a time. */
  private static final int FETCH_BYTES = 256 << 10;

  private static final int FETCH_MAX_BYTES = 50 << 20;

  /** Bytes of a message beside its chunk: key, headers, and the batch around it. */
  private static final int AROUND_A_CHUNK = 4 << 10;

  /** How long a model may have no partition until it is looked for again. */
  private static final long LOOK_EVERY_NANOS = Duration.ofSeconds(1).toNanos();

  private final Pipeline pipeline;
  private final String model;
  private final String topic;
  private final KafkaConsumer<byte[], byte[]> consumer;

  /** Null until the model has been found. */
  private @Nullable TopicPartition partition;

  /** Where somebody stopped before, if that is still the model's. */
  private @Nullable TopicPartition resumed;

  private long resumedAt;
  private long lookedAt;

  /** Where the last message was that was given out. */
  private long offset;

  /** The versions of a model. */
  public ModelTopic(Pipeline pipeline, String model) {
    this(pipeline, model, pipeline.topic(SystemTopic.MODELS));
  }

  /** Log of what the trainer of a model does, of a pipeline that writes a training log. */
  public static ModelTopic trainingLog(Pipeline pipeline, String model) {
    return new ModelTopic(pipeline, model, pipeline.topic(SystemTopic.TRAINING_LOG));
  }

  private ModelTopic(Pipeline pipeline, String model, String topic) {
    this.pipeline = pipeline;
    this.model = pipeline.model(model).name();
    this.topic = topic;
    int fetch = fetchBytes(pipeline);
    consumer =
        CommittedConsumers.open(
            pipeline,
            Map.of(
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                "earliest",
                ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG,
                false,
                ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG,
                fetch,
                ConsumerConfig.FETCH_MAX_BYTES_CONFIG,
                Math.max(fetch, FETCH_MAX_BYTES),
                ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
                API_TIMEOUT_MS,
                ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG,
                API_TIMEOUT_MS));
  }

  /**
   * Finds the model's partition by its name, on the models topic, whose numbers the training log
   * has too.
   *
   * @return true if there is one
   */
  boolean find() {
    if (partition != null) {
      return true;
    }
    if (lookedAt != 0 && System.nanoTime() - lookedAt < LOOK_EVERY_NANOS) {
      return false;
    }
    lookedAt = System.nanoTime();
    OptionalInt found =
        ModelPartitions.of(
            model, ModelPartitions.named(consumer, pipeline.topic(SystemTopic.MODELS)));
    if (found.isEmpty()) {
      consumer.assign(List.of());
      return false;
    }
    partition = new TopicPartition(topic, found.getAsInt());
    consumer.assign(List.of(partition));
    if (partition.equals(resumed)) {
      consumer.seek(partition, resumedAt);
    } else {
      consumer.seekToBeginning(List.of(partition));
    }
    return true;
  }

  /**
   * A chunk, of the size that the pipeline says, or many small ones: one comes whole however large
   * it is, and a second one that would not fit is not sent in part, to be sent again.
   */
  static int fetchBytes(Pipeline pipeline) {
    return Math.max(
        FETCH_BYTES, Math.toIntExact(pipeline.publishing().chunk().bytes()) + AROUND_A_CHUNK);
  }

  /** The next messages, in order; empty if none came within {@code timeout}. */
  public List<ModelRecord> poll(Duration timeout) {
    List<ModelRecord> records = new ArrayList<>();
    if (!find()) {
      await(timeout);
      return records;
    }
    for (ConsumerRecord<byte[], byte[]> message : consumer.poll(timeout)) {
      if (ModelRecords.isName(message.key())) {
        continue;
      }
      try {
        records.add(record(message));
        offset = message.offset();
      } catch (IllegalArgumentException e) {
        LOG.warn("{} offset {}: {}", partition, message.offset(), e.getMessage());
      }
    }
    return records;
  }

  /**
   * Content of a message.
   *
   * @throws IllegalArgumentException if it is none of ours
   */
  public static ModelRecord record(ConsumerRecord<byte[], byte[]> message) {
    Map<String, byte[]> headers = new HashMap<>();
    for (Header header : message.headers()) {
      headers.put(header.key(), header.value());
    }
    return ModelRecords.read(message.key(), message.value(), headers);
  }

  /** Nobody publishes this model yet. */
  private static void await(Duration timeout) {
    try {
      Thread.sleep(timeout.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Reads everything that is still there once more. */
  public void rewind() {
    if (partition == null) {
      return;
    }
    consumer.seekToBeginning(List.of(partition));
  }

  /**
   * Goes on at the manifest of a chunk's version, or before it if there are gaps or it is not there
   * yet: nothing in between is fetched.
   *
   * @param chunk the last message of the last poll
   */
  void passOver(ModelRecord chunk) {
    long manifest = offset + chunk.count() - chunk.index();
    if (manifest > position()) {
      seek(Math.min(manifest, end()));
    }
  }

  /** Goes on from an offset. */
  void seek(long offset) {
    consumer.seek(partition, offset);
  }

  /**
   * Begins at an offset where somebody stopped before; if it is not there any more, or the
   * partition is another, at the beginning. To be called before the first poll.
   */
  void resume(TopicPartition at, long offset) {
    resumed = at;
    resumedAt = offset;
  }

  /** Offset of the next message to read. */
  long position() {
    return consumer.position(partition);
  }

  /** The partition that is read; none as long as no partition is the model's. */
  Optional<TopicPartition> partition() {
    return Optional.ofNullable(partition);
  }

  /** True if everything that was committed when asked has been read. */
  public boolean atEnd() {
    return !find() || position() >= end();
  }

  private long end() {
    return requireNonNull(consumer.endOffsets(List.of(partition)).get(partition));
  }

  /**
   * Offset behind the last committed message.
   *
   * @throws org.apache.kafka.common.errors.TimeoutException if no broker says so in time
   */
  long end(Duration timeout) {
    return requireNonNull(consumer.endOffsets(List.of(partition), timeout).get(partition));
  }

  /**
   * Words on what there is not, if the broker does not say where the partition ends. If that is the
   * topic, the model is looked for again: its topic may come back in another form.
   */
  Waiting missing(Duration timeout) {
    Waiting missing = Waiting.BROKER;
    try {
      List<PartitionInfo> partitions = consumer.partitionsFor(topic, timeout);
      if (partitions == null || partitions.isEmpty()) {
        missing = Waiting.TOPIC;
      } else if (partition != null
          && partitions.stream().noneMatch(one -> one.partition() == partition.partition())) {
        missing = Waiting.PARTITION;
      }
    } catch (UnknownTopicOrPartitionException e) {
      missing = Waiting.TOPIC;
    } catch (TimeoutException e) {
      LOG.debug("No broker answers", e);
    }
    if (missing != Waiting.BROKER && partition != null) {
      partition = null;
      consumer.assign(List.of());
    }
    return missing;
  }

  /** The model's name. */
  String model() {
    return model;
  }

  /** Its topic's name. */
  String name() {
    return topic;
  }

  /** The brokers that were named. */
  String bootstrap() {
    return pipeline.kafka().bootstrap();
  }

  /** Makes a {@link #poll} under way on another thread fail with a wake-up exception. */
  public void wakeup() {
    consumer.wakeup();
  }

  @Override
  public void close() {
    consumer.close();
  }
}
