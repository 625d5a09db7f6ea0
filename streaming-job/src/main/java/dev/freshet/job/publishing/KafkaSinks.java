package dev.freshet.job.publishing;

import dev.freshet.core.labels.ExampleJson;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.publishing.ModelRecord;
import dev.freshet.core.publishing.ModelRecords;
import dev.freshet.job.events.DeadLetter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Properties;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/**
 * The sinks of all topics that the job writes. Everything but metrics is written exactly once: it
 * becomes visible to readers of committed data when the checkpoint completes.
 */
public final class KafkaSinks {

  // The broker's default ceiling is 15 minutes; the sink's own default, an hour, is refused by it.
  private static final String TRANSACTION_TIMEOUT = "600000";

  private final Pipeline pipeline;

  public KafkaSinks(Pipeline pipeline) {
    this.pipeline = pipeline;
  }

  public Sink<DeadLetter> deadLetters(String step) {
    String topic = pipeline.topic(SystemTopic.DEAD_LETTERS);
    return exactlyOnce(
        "dead-letters-" + step,
        (letter, context, time) ->
            new ProducerRecord<>(
                topic,
                null,
                null,
                letter.key(),
                letter.value(),
                List.of(
                    header("freshet.reason", letter.reason()),
                    header("freshet.error", letter.error()),
                    header("freshet.kind", letter.kind()),
                    header("freshet.topic", letter.topic()),
                    header("freshet.partition", Integer.toString(letter.partition())),
                    header("freshet.offset", Long.toString(letter.offset())))));
  }

  /** Labelled examples as JSON, keyed by impression. */
  public Sink<LabeledExample> examples() {
    String topic = pipeline.examplesTopic();
    ExampleJson json = new ExampleJson(pipeline.impressionFields(), pipeline.tasks());
    return exactlyOnce(
        "examples",
        (example, context, time) ->
            new ProducerRecord<>(
                topic,
                example.impression().id().getBytes(StandardCharsets.UTF_8),
                json.write(example)));
  }

  /** Versions of one model. */
  public Sink<ModelRecord> models(ModelDefinition model) {
    return records("models-" + model.name(), pipeline.topic(SystemTopic.MODELS), model);
  }

  /** What the trainer of one model does. */
  public Sink<ModelRecord> trainingLog(ModelDefinition model) {
    return records("training-log-" + model.name(), pipeline.trainingLogTopic(), model);
  }

  /** Each model has a partition of its own, so that its order holds. */
  private Sink<ModelRecord> records(String name, String topic, ModelDefinition model) {
    int partition = pipeline.models().indexOf(model);
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
    KafkaRecordSerializationSchema<String> schema =
        (record, context, time) ->
            new ProducerRecord<>(topic, record.getBytes(StandardCharsets.UTF_8));
    return KafkaSink.<String>builder()
        .setBootstrapServers(pipeline.kafka().bootstrap())
        .setKafkaProducerConfig(properties())
        .setRecordSerializer(schema)
        .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
        .build();
  }

  private <T> Sink<T> exactlyOnce(String name, KafkaRecordSerializationSchema<T> schema) {
    Properties properties = properties();
    properties.putIfAbsent("transaction.timeout.ms", TRANSACTION_TIMEOUT);
    return KafkaSink.<T>builder()
        .setBootstrapServers(pipeline.kafka().bootstrap())
        .setKafkaProducerConfig(properties)
        .setRecordSerializer(schema)
        .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .setTransactionalIdPrefix("freshet-" + pipeline.pipeline() + "-" + name)
        .build();
  }

  private Properties properties() {
    Properties properties = new Properties();
    properties.putAll(pipeline.kafka().properties());
    return properties;
  }

  private static RecordHeader header(String key, String value) {
    return new RecordHeader(key, value.getBytes(StandardCharsets.UTF_8));
  }
}
