package dev.freshet.benchmarks;

import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.ExampleEncoder;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.job.publishing.KafkaSinks;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.publishing.Lineage;
import dev.freshet.training.publishing.SnapshotWriter;
import dev.freshet.training.rows.EmbeddingTable;
import java.io.OutputStream;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A trainer with a million rows that publishes on a broker, as the job does, without the job. */
public final class MillionRows {

  private static final int FIELDS = 8;
  private static final int VALUES = 125_000;
  private static final int BATCH = 1024;

  private final Pipeline pipeline;
  private final ExampleEncoder encoder;
  private final ModelTrainer trainer;
  private final SnapshotWriter writer;
  private final KafkaProducer<byte[], byte[]> producer;
  private final SplittableRandom random = new SplittableRandom(1);

  public MillionRows(Pipeline pipeline) {
    this.pipeline = pipeline;
    encoder = new ExampleEncoder(pipeline.schema());
    trainer = new ModelTrainer(pipeline.context(pipeline.model("main")), pipeline.training());
    writer = new SnapshotWriter(pipeline);
    Map<String, Object> settings =
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            pipeline.kafka().bootstrap(),
            ProducerConfig.TRANSACTIONAL_ID_CONFIG,
            "trainer");
    producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    producer.initTransactions();
    EmbeddingTable table = table();
    for (int value = 0; value < VALUES; value++) {
      EncodedExample example = example(value);
      for (int field = 0; field < FIELDS; field++) {
        table.sight(example.keys()[field], field, 0);
      }
    }
  }

  /**
   * @param baseEvery versions
   */
  public static Pipeline pipeline(int baseEvery) {
    StringBuilder file = new StringBuilder("pipeline: load\ntasks:\n");
    file.append("  - {name: click, kind: binary, window: 1m}\n");
    file.append(Fields.features(FIELDS));
    file.append("models: [{name: main, kind: shared-bottom}]\n");
    file.append("publishing: {base-every: %d, largest-delta: 1}\n".formatted(baseEvery));
    return PipelineFile.parse(file.toString(), "load");
  }

  /** The values of a random impression, popular ones more often, field by field. */
  public static String[] values(SplittableRandom random) {
    String[] values = new String[FIELDS];
    for (int i = 0; i < FIELDS; i++) {
      values[i] = "v" + skewed(random);
    }
    return values;
  }

  private static int skewed(SplittableRandom random) {
    return (int) (VALUES * Math.pow(random.nextDouble(), 3));
  }

  /** Learns from 10,240 examples. */
  public void learn() {
    for (int i = 0; i < 10; i++) {
      List<EncodedExample> batch = new ArrayList<>();
      for (int j = 0; j < BATCH; j++) {
        batch.add(example(skewed(random)));
      }
      trainer.process(batch);
    }
  }

  /** The next version's messages. */
  public List<ModelRecord> version() {
    List<ModelRecord> records = new ArrayList<>();
    ModelVersion version = new ModelVersion(1, trainer.steps());
    writer.write(trainer, version, Lineage.UNKNOWN, System.currentTimeMillis(), records::add);
    return records;
  }

  /** Publishes a version. */
  public void publish(List<ModelRecord> version) {
    send(version, pipeline.topic(SystemTopic.MODELS));
  }

  /** Writes a version to a topic that nobody reads. */
  public void publishElsewhere(List<ModelRecord> version) {
    send(version, pipeline.topic(SystemTopic.IMPRESSIONS));
  }

  /** The model's graph with its dense weights, a TorchScript archive. */
  public void writeGraph(OutputStream out) {
    trainer.learner().network().writeGraph(out);
  }

  /** Names of the fields. */
  public List<String> fields() {
    return pipeline.schema().fields().stream().map(FeatureField::name).toList();
  }

  /** Numbers in a row. */
  public int width() {
    return table().width();
  }

  /** All rows, one behind the other, and behind them one of zeros for what is not known. */
  public float[] rowsAndUnknown() {
    EmbeddingTable table = table();
    FloatBuffer all = FloatBuffer.allocate((table.size() + 1) * table.width());
    for (int row = 0; row < table.size(); row++) {
      table.read(row, all);
    }
    return all.array();
  }

  /** The row of each value v0, v1 and so on of the first field, then of the second and so on. */
  public long[] rowNumbers() {
    long[] rows = new long[FIELDS * VALUES];
    for (int value = 0; value < VALUES; value++) {
      long[] keys = example(value).keys();
      for (int field = 0; field < FIELDS; field++) {
        rows[field * VALUES + value] = table().find(keys[field], field);
      }
    }
    return rows;
  }

  private EmbeddingTable table() {
    return trainer.learner().tables().get(0);
  }

  private void send(List<ModelRecord> version, String topic) {
    producer.beginTransaction();
    for (ModelRecord record : version) {
      producer.send(KafkaSinks.message(topic, 0, record));
    }
    producer.commitTransaction();
  }

  private EncodedExample example(int value) {
    String[][] categories = new String[FIELDS][];
    for (int i = 0; i < FIELDS; i++) {
      categories[i] = new String[] {"v" + value};
    }
    TaskLabel[] labels = {new TaskLabel(LabelKind.FINAL, value % 5 == 0 ? 1 : 0, 1, 0, -1, true)};
    RawFeatures features = new RawFeatures(categories, new double[0]);
    return encoder.encode(
        new LabeledExample(new Impression("x" + value, 0, features, null), 0, labels));
  }
}
