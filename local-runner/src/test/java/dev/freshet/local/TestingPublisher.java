package dev.freshet.local;

import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.job.publishing.KafkaSinks;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.publishing.Lineage;
import dev.freshet.training.publishing.SnapshotWriter;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Learns a little and publishes it, as the job would. */
final class TestingPublisher implements AutoCloseable {

  private static final String MODEL = "plain";

  private final Pipeline pipeline;
  private final ModelTrainer trainer;
  private final SnapshotWriter writer;

  TestingPublisher(Pipeline pipeline) {
    this.pipeline = pipeline;
    trainer = new ModelTrainer(pipeline.context(pipeline.model(MODEL)), pipeline.training());
    writer = new SnapshotWriter(pipeline);
  }

  /** Publishes the next version and tells its name. */
  String publish() {
    return publishedAt(System.currentTimeMillis());
  }

  String publishedAt(long at) {
    trainer.process(TestingExamples.settled(pipeline, 64, trainer.steps()));
    ModelVersion version = new ModelVersion(9, trainer.steps());
    Map<String, Object> settings =
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            pipeline.kafka().bootstrap(),
            ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
            10 << 20);
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      writer.write(
          trainer,
          version,
          new Lineage(List.of(new SourcePosition("clicks", 0, 5, at - 60_000)), at),
          at,
          record ->
              producer.send(KafkaSinks.message(pipeline.topic(SystemTopic.MODELS), 1, record)));
    }
    return version.toString();
  }

  @Override
  public void close() {
    trainer.close();
  }
}
