package dev.freshet.benchmarks;

import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.publishing.Lineage;
import dev.freshet.core.publishing.ModelRecords;
import dev.freshet.core.publishing.ModelVersion;
import dev.freshet.core.publishing.SnapshotWriter;
import dev.freshet.core.training.ModelTrainer;
import dev.freshet.core.training.embedding.EmbeddingTable;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.broker.Topics;
import dev.freshet.replica.server.ScoringServer;
import dev.freshet.replica.server.ServerSettings;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Load on the scoring server, client, server, broker and trainer on one machine: requests a second
 * and their times at batches of 1, 32 and 256, first with a version that stays (the floor), then
 * with a delta of 10,240 examples every second and, in between, a base of a million rows.
 */
public final class ScoringLoad {

  private static final int FIELDS = 8;
  private static final int VALUES = 125_000;
  private static final int BATCH = 1024;
  private static final int SECONDS = 12;

  private final Pipeline pipeline;
  private final FeatureEncoder encoder;
  private final ModelTrainer trainer;
  private final SnapshotWriter writer;
  private final KafkaProducer<byte[], byte[]> producer;
  private final SplittableRandom random = new SplittableRandom(1);
  private volatile boolean publishing;

  private ScoringLoad(Pipeline pipeline) {
    this.pipeline = pipeline;
    encoder = new FeatureEncoder(pipeline.schema(), 0);
    trainer = new ModelTrainer(pipeline.context(pipeline.model("main")), pipeline.training());
    writer = pipeline.writer();
    Map<String, Object> settings = Map.of("bootstrap.servers", pipeline.kafka().bootstrap());
    producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    EmbeddingTable table = trainer.network().tables().get(0);
    for (int value = 0; value < VALUES; value++) {
      EncodedExample example = example(value);
      for (int field = 0; field < FIELDS; field++) {
        table.sight(example.keys()[field], field, 0);
      }
    }
  }

  public static void main(String[] args) throws Exception {
    try (EmbeddedBroker broker = EmbeddedBroker.start(Files.createTempDirectory("load"))) {
      Pipeline pipeline = PipelineFile.parse(file(), "load").withBootstrap(broker.bootstrap());
      try (Topics topics = new Topics(pipeline)) {
        topics.create(1);
      }
      new ScoringLoad(pipeline).run();
    }
    System.exit(0);
  }

  private static String file() {
    StringBuilder file = new StringBuilder("pipeline: load\ntasks:\n");
    file.append("  - {name: click, kind: binary, window: 1m}\nfeatures:\n");
    for (int i = 0; i < FIELDS; i++) {
      file.append("  - {name: f%d, kind: categorical, dim: 16, admit-after: 1}%n".formatted(i));
    }
    file.append("models: [{name: main, kind: shared-bottom}]\n");
    file.append("publishing: {base-every: 10, largest-delta: 1}\n");
    return file.toString();
  }

  private void run() throws Exception {
    ServerSettings settings =
        new ServerSettings("127.0.0.1", 0, 1 << 20, 1024, 2, 100, Duration.ofSeconds(30), null);
    try (ScoringServer server = ScoringServer.start(pipeline, "main", settings)) {
      publish();
      server.replica().awaitVersion(Duration.ofSeconds(60));
      Thread swaps = new Thread(this::publishOnAndOn, "publisher");
      swaps.setDaemon(true);
      swaps.start();
      System.out.println(
          "| batch | versions | requests/s | impressions/s | p50 ms | p99 ms | most ms | failed |");
      System.out.println("| --- | --- | --- | --- | --- | --- | --- | --- |");
      load(server, 32, false, false);
      for (int size : new int[] {1, 32, 256}) {
        load(server, size, false, true);
        load(server, size, true, true);
      }
    }
  }

  private void publishOnAndOn() {
    try {
      while (true) {
        long start = System.nanoTime();
        if (publishing) {
          for (int i = 0; i < 10; i++) {
            List<EncodedExample> batch = new ArrayList<>();
            for (int j = 0; j < BATCH; j++) {
              batch.add(example((int) (VALUES * Math.pow(random.nextDouble(), 3))));
            }
            trainer.process(batch);
          }
          publish();
        }
        long left = TimeUnit.SECONDS.toNanos(1) - (System.nanoTime() - start);
        TimeUnit.NANOSECONDS.sleep(Math.max(0, left));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void publish() {
    long now = System.currentTimeMillis();
    writer.write(
        trainer,
        new ModelVersion(1, trainer.steps()),
        Lineage.UNKNOWN,
        now,
        record -> {
          var message =
              new ProducerRecord<>(
                  pipeline.topic("models"),
                  0,
                  record.key().getBytes(StandardCharsets.UTF_8),
                  record.value());
          ModelRecords.headers(record).forEach((name, value) -> message.headers().add(name, value));
          producer.send(message);
        });
    producer.flush();
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

  private void load(ScoringServer server, int size, boolean withSwaps, boolean told)
      throws Exception {
    publishing = withSwaps;
    long swaps = server.replica().swaps();
    HttpClient client = HttpClient.newHttpClient();
    URI uri = URI.create("http://127.0.0.1:" + server.address().getPort() + "/v1/score");
    SplittableRandom values = new SplittableRandom(7);
    long[] times = new long[1 << 20];
    int count = 0;
    int failed = 0;
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    while (System.nanoTime() < end && count < times.length) {
      StringBuilder body = new StringBuilder("{\"impressions\":[");
      for (int i = 0; i < size; i++) {
        body.append(i == 0 ? "" : ",").append("{\"features\":{");
        for (int field = 0; field < FIELDS; field++) {
          int value = (int) (VALUES * Math.pow(values.nextDouble(), 3));
          body.append(field == 0 ? "" : ",").append("\"f").append(field).append("\":\"v");
          body.append(value).append('"');
        }
        body.append("}}");
      }
      HttpRequest request =
          HttpRequest.newBuilder(uri)
              .POST(BodyPublishers.ofString(body.append("]}").toString()))
              .build();
      long start = System.nanoTime();
      failed += client.send(request, BodyHandlers.ofByteArray()).statusCode() == 200 ? 0 : 1;
      times[count++] = System.nanoTime() - start;
    }
    if (told) {
      long[] sorted = Arrays.copyOf(times, count);
      Arrays.sort(sorted);
      System.out.printf(
          "| %d | %s | %,d | %,d | %.2f | %.2f | %.1f | %d |%n",
          size,
          withSwaps ? "%d taken".formatted(server.replica().swaps() - swaps) : "one",
          count / SECONDS,
          (long) count * size / SECONDS,
          sorted[count / 2] / 1e6,
          sorted[count * 99 / 100] / 1e6,
          sorted[count - 1] / 1e6,
          failed);
    }
  }
}
