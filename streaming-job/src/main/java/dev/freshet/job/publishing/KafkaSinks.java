package dev.freshet.job.publishing;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.labels.ExampleJson;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.ModelRecords;
import dev.freshet.job.events.DeadLetter;
import dev.freshet.topics.Transactions;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.jspecify.annotations.Nullable;

/**
 * The sinks of all topics that the job writes. Everything but metrics is written exactly once: it
 * becomes visible to readers of committed data when the checkpoint completes.
 */
public final class KafkaSinks {

  private final Pipeline pipeline;
  private final Map<String, Integer> partitions;

  /**
   * @param partitions of the models, each of which has one of its own
   */
  public KafkaSinks(Pipeline pipeline, Map<String, Integer> partitions) {
    this.pipeline = pipeline;
    this.partitions = Map.copyOf(partitions);
  }

  /** Messages and events that no label comes of; what is too large is cut. */
  public Sink<DeadLetter> deadLetters(String step) {
    String topic = pipeline.topic(SystemTopic.DEAD_LETTERS);
    return exactlyOnce(
        "dead-letters-" + step, limited(topic, letter -> DeadLetters.message(topic, letter)));
  }

  /** Labelled examples as JSON, keyed by impression; of one that is too large no features. */
  public Sink<LabeledExample> examples() {
    String topic = requireNonNull(pipeline.examplesTopic(), "it is named");
    ExampleJson json = new ExampleJson(pipeline.impressionFields(), pipeline.tasks());
    return exactlyOnce("examples", limited(topic, new ExampleMessages(topic, json)));
  }

  private record ExampleMessages(String topic, ExampleJson json)
      implements Limited.Messages<LabeledExample> {

    @Override
    public ProducerRecord<byte[], byte[]> of(LabeledExample example) {
      return message(example, json.write(example));
    }

    @Override
    public @Nullable ProducerRecord<byte[], byte[]> smaller(
        LabeledExample example, ProducerRecord<byte[], byte[]> whole, MessageLimit limit) {
      ProducerRecord<byte[], byte[]> bare = message(example, json.writeWithoutFeatures(example));
      bare.headers()
          .add(MessageLimit.header(MessageLimit.TRUNCATED, Integer.toString(whole.value().length)));
      return limit.takes(bare) ? bare : null;
    }

    private ProducerRecord<byte[], byte[]> message(LabeledExample example, byte[] value) {
      byte[] key = example.impression().id().getBytes(StandardCharsets.UTF_8);
      return new ProducerRecord<>(topic, key, value);
    }
  }

  /** Versions of one model. */
  public Sink<ModelRecord> models(ModelDefinition model) {
    return records("models-" + model.name(), pipeline.topic(SystemTopic.MODELS), model);
  }

  /** Sink of the training log of one model. */
  public Sink<ModelRecord> trainingLog(ModelDefinition model) {
    return records(
        "training-log-" + model.name(),
        requireNonNull(pipeline.trainingLogTopic(), "it is named"),
        model);
  }

  /** Each model has a partition of its own, so that its order holds. */
  private Sink<ModelRecord> records(String name, String topic, ModelDefinition model) {
    int partition = requireNonNull(partitions.get(model.name()));
    return exactlyOnce(name, (record, context, time) -> message(topic, partition, record));
  }

  /** The message that a record is sent as. */
  public static ProducerRecord<byte[], byte[]> message(
      String topic, int partition, ModelRecord record) {
    return new ProducerRecord<>(
        topic,
        partition,
        null,
        record.key().getBytes(StandardCharsets.UTF_8),
        record.value(),
        ModelRecords.headers(record).entrySet().stream()
            .<Header>map(e -> new RecordHeader(e.getKey(), e.getValue()))
            .toList());
  }

  /** Metrics may repeat after a failure; readers take the newest. */
  public Sink<String> metrics() {
    String topic = pipeline.topic(SystemTopic.METRICS);
    return KafkaSink.<String>builder()
        .setBootstrapServers(pipeline.kafka().bootstrap())
        .setKafkaProducerConfig(properties())
        .setRecordSerializer(limited(topic, new MetricMessages(topic)))
        .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
        .build();
  }

  private <T> Limited<T> limited(String topic, Limited.Messages<T> messages) {
    Properties properties = properties();
    properties.put("bootstrap.servers", pipeline.kafka().bootstrap());
    return new Limited<>(properties, topic, messages);
  }

  private record MetricMessages(String topic) implements Limited.Messages<String> {

    @Override
    public ProducerRecord<byte[], byte[]> of(String record) {
      return new ProducerRecord<>(topic, record.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public @Nullable ProducerRecord<byte[], byte[]> smaller(
        String record, ProducerRecord<byte[], byte[]> whole, MessageLimit limit) {
      return null; // half a record is none
    }
  }

  private <T> Sink<T> exactlyOnce(String name, KafkaRecordSerializationSchema<T> schema) {
    Properties properties = properties();
    properties.put("transaction.timeout.ms", Transactions.timeout(pipeline));
    return KafkaSink.<T>builder()
        .setBootstrapServers(pipeline.kafka().bootstrap())
        .setKafkaProducerConfig(properties)
        .setRecordSerializer(schema)
        .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .setTransactionalIdPrefix(Transactions.prefix(pipeline) + name)
        .build();
  }

  private Properties properties() {
    Properties properties = new Properties();
    properties.putAll(pipeline.kafka().properties());
    return properties;
  }
}
