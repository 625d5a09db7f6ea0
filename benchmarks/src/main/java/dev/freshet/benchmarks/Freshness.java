package dev.freshet.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.ExampleEncoder;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.local.Freshet;
import dev.freshet.replica.CommittedConsumers;
import dev.freshet.replica.ModelReplica;
import dev.freshet.replica.ModelTopic;
import dev.freshet.topics.ModelPartitions;
import dev.freshet.training.reproduction.TrainingLog;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/**
 * Time from an event's production to the first prediction, in another process, that has learnt from
 * it, event by event: the demo runs with checkpoints every second, its training log tells which
 * labels are in which version, and a replica here predicts on and on.
 *
 * <p>The labels' windows are part of the times: with the correction {@code wait} a click is learnt
 * when its window has closed, others tell it earlier.
 */
public final class Freshness {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String MODEL = "main";
  private static final int CLICK = 0;

  private final Pipeline pipeline;
  private final ExampleEncoder encoder;

  /**
   * When an impression's click, or the impression itself, was produced, by the impression's key.
   */
  private final Map<Long, Long> clicked = new HashMap<>();

  private final Map<Long, Long> shown = new HashMap<>();

  /** Impressions whose click label was learnt, by the examples seen after their batch. */
  private final TreeMap<Long, List<Long>> positives = new TreeMap<>();

  private final TreeMap<Long, List<Long>> negatives = new TreeMap<>();

  /** When a version of so many examples first made a prediction. */
  private final NavigableMap<Long, Long> served = new ConcurrentSkipListMap<>();

  private Freshness(Pipeline pipeline) {
    this.pipeline = pipeline;
    encoder = new ExampleEncoder(pipeline.schema());
  }

  /**
   * @param args pipeline file, seconds to warm up, whose events do not count, seconds to measure,
   *     then options of the demo
   */
  public static void main(String[] args) throws Exception {
    Path file = Path.of(args[0]);
    int warmUp = Integer.parseInt(args[1]);
    int seconds = Integer.parseInt(args[2]);
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx2g",
                "-XX:+UseParallelGC",
                "--add-opens",
                "java.base/java.util=ALL-UNNAMED",
                "-Dai.djl.offline=true",
                "-DOPT_OUT_TRACKING=true",
                "-Dai.djl.pytorch.num_threads=1",
                "-Dfreshet.log=" + Path.of(System.getProperty("java.io.tmpdir"), "freshness.log"),
                "-cp",
                System.getProperty("java.class.path"),
                Freshet.class.getName(),
                "demo",
                "--pipeline",
                file.toString(),
                "--for",
                (warmUp + seconds) + "s",
                "--checkpoint-every",
                "1s"));
    command.addAll(Arrays.asList(args).subList(3, args.length));
    Process demo =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(demo.getInputStream(), StandardCharsets.UTF_8))) {
      String line = lines.readLine();
      while (line != null && !line.startsWith("Kafka at ")) {
        line = lines.readLine();
      }
      if (line == null) {
        throw new IllegalStateException("the demo did not start");
      }
      Thread drain = new Thread(() -> lines.lines().forEach(ignored -> {}), "demo-output");
      drain.setDaemon(true);
      drain.start();
      String bootstrap = line.substring("Kafka at ".length());
      new Freshness(PipelineFile.read(file).withBootstrap(bootstrap)).run(demo, warmUp, seconds);
    } finally {
      demo.destroy();
      demo.waitFor();
    }
    System.exit(0);
  }

  /** The model's, as soon as the job has named it. */
  private int partition(KafkaConsumer<byte[], byte[]> consumer) throws InterruptedException {
    while (true) {
      var named = ModelPartitions.named(consumer, pipeline.topic(SystemTopic.MODELS));
      OptionalInt found = ModelPartitions.of(MODEL, named);
      if (found.isPresent()) {
        return found.getAsInt();
      }
      Thread.sleep(500);
    }
  }

  private void run(Process demo, int warmUp, int seconds) throws Exception {
    long since = System.currentTimeMillis() + warmUp * 1000L;
    Thread.sleep(5_000); // The topics are being made.
    Thread serving = new Thread(this::serve, "serving");
    serving.setDaemon(true);
    serving.start();
    String log = pipeline.trainingLogTopic();
    String clicks = pipeline.topic(pipeline.tasks().get(CLICK));
    String impressions = pipeline.topic(SystemTopic.IMPRESSIONS);
    TrainingLog.Reader reader = new TrainingLog.Reader();
    try (KafkaConsumer<byte[], byte[]> consumer = CommittedConsumers.open(pipeline, Map.of())) {
      List<TopicPartition> all = new ArrayList<>();
      all.add(new TopicPartition(log, partition(consumer)));
      for (String topic : List.of(clicks, impressions)) {
        consumer
            .partitionsFor(topic)
            .forEach(p -> all.add(new TopicPartition(topic, p.partition())));
      }
      consumer.assign(all);
      consumer.seekToBeginning(all);
      long end = System.nanoTime() + Duration.ofSeconds(warmUp + seconds - 10).toNanos();
      while (System.nanoTime() < end && demo.isAlive()) {
        for (ConsumerRecord<byte[], byte[]> message : consumer.poll(Duration.ofMillis(200))) {
          if (message.topic().equals(log)) {
            learnt(reader, message);
          } else {
            produced(message, message.topic().equals(clicks) ? clicked : shown);
          }
        }
      }
    }
    System.out.printf("%d versions served%n", served.size());
    tell("clicks: from the click's message", positives, clicked, since);
    tell("no clicks: from the impression's message", negatives, shown, since);
  }

  private void serve() {
    try (ModelReplica replica = ModelReplica.follow(pipeline, MODEL)) {
      String last = "";
      List<Impression> one = List.of(bare("x"));
      while (true) {
        var manifest = replica.manifest();
        if (manifest.isPresent()) {
          String version = replica.predict(one).get(0).version();
          long now = System.currentTimeMillis();
          if (!version.equals(last) && version.equals(manifest.get().version())) {
            served.putIfAbsent(manifest.get().examples(), now);
            last = version;
          }
        }
        Thread.sleep(5);
      }
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private void learnt(TrainingLog.Reader reader, ConsumerRecord<byte[], byte[]> message)
      throws Exception {
    var entry = reader.accept(ModelTopic.record(message));
    if (entry.isEmpty() || entry.get().mark().kind() != TrainingLog.Kind.BATCH) {
      return;
    }
    List<EncodedExample> batch = entry.get().batch();
    long after = entry.get().mark().examples() + batch.size();
    for (EncodedExample example : batch) {
      TaskLabel label = example.labels()[CLICK];
      if (label.kind() != LabelKind.NONE && label.weight() > 0) {
        (label.value() > 0 ? positives : negatives)
            .computeIfAbsent(after, k -> new ArrayList<>())
            .add(example.id());
      }
    }
  }

  private void produced(ConsumerRecord<byte[], byte[]> message, Map<Long, Long> into) {
    try {
      JsonNode event = JSON.readTree(message.value());
      if (event.path("impression_id").isTextual()) {
        into.putIfAbsent(key(event.path("impression_id").asText()), message.timestamp());
      }
    } catch (IOException broken) {
      return; // The simulator sends such messages on purpose.
    }
  }

  private long key(String impression) {
    return encoder.encode(bare(impression)).id();
  }

  private Impression bare(String id) {
    RawFeatures none =
        new RawFeatures(
            new String[pipeline.schema().categorical().size()][0],
            new double[pipeline.schema().numeric().size()]);
    return new Impression(id, 0, none, null);
  }

  private void tell(
      String what, TreeMap<Long, List<Long>> learnt, Map<Long, Long> produced, long since) {
    List<Long> times = new ArrayList<>();
    learnt.forEach(
        (examples, impressions) -> {
          Map.Entry<Long, Long> version = served.ceilingEntry(examples);
          if (version != null) {
            for (long impression : impressions) {
              Long at = produced.get(impression);
              if (at != null && at >= since) {
                times.add(version.getValue() - at);
              }
            }
          }
        });
    long[] sorted = times.stream().mapToLong(Long::longValue).sorted().toArray();
    System.out.printf(
        "%s to a prediction that has learnt from it: %,d events, p50 %.2f s, p90 %.2f s, p99 %.2f"
            + " s, most %.2f s%n",
        what,
        sorted.length,
        sorted[sorted.length / 2] / 1e3,
        sorted[sorted.length * 9 / 10] / 1e3,
        sorted[sorted.length * 99 / 100] / 1e3,
        sorted[sorted.length - 1] / 1e3);
  }
}
