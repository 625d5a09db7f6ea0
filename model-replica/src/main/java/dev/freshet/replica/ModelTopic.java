package dev.freshet.replica;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.publishing.ModelRecord;
import dev.freshet.core.publishing.ModelRecords;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the messages of one model from a topic, from the beginning, committed ones only. One thread
 * at a time, {@link #wakeup} excepted.
 */
public final class ModelTopic implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ModelTopic.class);

  private static final int API_TIMEOUT_MS = 10_000;

  /**
   * A chunk of the default size: one comes whole however large it is, and a second one that would
   * not fit is not sent in part, to be sent again.
   */
  private static final int FETCH_BYTES = 256 * 1024;

  private final TopicPartition partition;
  private final KafkaConsumer<byte[], byte[]> consumer;

  /** Where the last message was that was given out. */
  private long offset;

  /** The versions of a model. */
  public ModelTopic(Pipeline pipeline, String model) {
    this(pipeline, model, pipeline.topic(SystemTopic.MODELS));
  }

  /** What the trainer of a model does, of a pipeline that writes a training log. */
  public static ModelTopic trainingLog(Pipeline pipeline, String model) {
    return new ModelTopic(pipeline, model, pipeline.trainingLogTopic());
  }

  // A model's place in the pipeline decides the partition.
  private ModelTopic(Pipeline pipeline, String model, String topic) {
    consumer =
        CommittedConsumers.open(
            pipeline,
            Map.of(
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
                ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, FETCH_BYTES,
                ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, API_TIMEOUT_MS,
                ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, API_TIMEOUT_MS));
    partition = new TopicPartition(topic, pipeline.models().indexOf(pipeline.model(model)));
    consumer.assign(List.of(partition));
    consumer.seekToBeginning(List.of(partition));
  }

  /** The next messages, in order; empty if none came within {@code timeout}. */
  public List<ModelRecord> poll(Duration timeout) {
    List<ModelRecord> records = new ArrayList<>();
    for (ConsumerRecord<byte[], byte[]> message : consumer.poll(timeout)) {
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
   * What a message says.
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

  /** Reads everything that is still there once more. */
  public void rewind() {
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
    System.err.println(
        "PASS chunk "
            + chunk.index()
            + " of "
            + chunk.count()
            + " at "
            + offset
            + " pos "
            + position());
    if (manifest > position()) {
      seek(Math.min(manifest, end()));
    }
  }

  /** Goes on from an offset; if that is not there any more, from the beginning. */
  void seek(long offset) {
    consumer.seek(partition, offset);
  }

  /** Offset of the next message to read. */
  long position() {
    return consumer.position(partition);
  }

  /** What is read. */
  TopicPartition partition() {
    return partition;
  }

  /** Whether everything that was committed when asked has been read. */
  public boolean atEnd() {
    return position() >= end();
  }

  private long end() {
    return consumer.endOffsets(List.of(partition)).get(partition);
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
