package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.ModelRecords;
import dev.freshet.core.snapshot.SnapshotAssembler;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.replica.ModelTopic;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Processes killed while a version is being written: it is seen exactly if the checkpoint with its
 * training state has completed, once, and whole.
 */
@Timeout(value = 16, unit = TimeUnit.MINUTES)
class KillITCase {

  private static final String[] LOAD = {"--rate", "1000", "--speed", "1875", "--seed", "7"};
  private static final int ATTEMPTS = 8;

  @TempDir private Path folder;
  private TestingProcesses processes;
  private Path data;
  private Path marker;
  private Path pipelineFile;

  @BeforeEach
  void open() throws IOException {
    processes = new TestingProcesses(folder);
    data = folder.resolve("data");
    marker = folder.resolve("stalled");
    pipelineFile = folder.resolve("shop.yaml");
    String shop = Files.readString(Path.of("..", "pipelines", "shop.yaml"));
    Files.writeString(
        pipelineFile,
        shop.replace("  - {name: baseline, kind: shared-bottom, amount: {loss: ziln}}\n", "")
            .replace("chunk: 256KB", "chunk: 32KB")
            .replace(
                "kafka:\n",
                "kafka:\n  properties: {interceptor.classes: %s, %s: %s}\n"
                    .formatted(TestingStall.class.getName(), TestingStall.MARKER, marker)));
  }

  @Test
  void betweenChunkAndManifest() throws Exception {
    Process stalls = demo("stalls", "--for", "120s");
    TestingProcesses.await(() -> Files.exists(marker) || !stalls.isAlive());
    assertThat(stalls.isAlive()).as(processes.said("stalls")).isTrue();
    TimeUnit.SECONDS.sleep(1); // The producer's own thread sends the chunks meanwhile.
    stalls.destroyForcibly().waitFor();
    String cut = Files.readString(marker);
    Topic before = read();
    assertThat(before.written).as("chunks are there").contains(cut);
    assertThat(before.announced).doesNotContain(cut);
    assertThat(before.visible).hasSize(2).doesNotContain(cut);

    goesOn();
    Topic after = read();
    assertThat(after.visible)
        .startsWith(before.visible.toArray(String[]::new))
        .hasSizeGreaterThan(before.visible.size())
        .doesNotHaveDuplicates()
        .doesNotContain(cut);
  }

  @Test
  void betweenManifestAndCommit() throws Exception {
    Files.writeString(marker, "nothing stalls here");
    List<String> open = List.of();
    Topic before = null;
    for (int attempt = 0; open.isEmpty() && attempt < ATTEMPTS; attempt++) {
      killAtACompletedCheckpoint("attempt-" + attempt);
      before = read();
      open = new ArrayList<>(before.announced);
      open.removeAll(before.visible);
    }
    assertThat(open).as("a manifest that was written and not committed").hasSize(1);

    goesOn();
    Topic after = read();
    assertThat(after.visible)
        .as("what a completed checkpoint promised is committed when the job comes back, once")
        .containsAll(before.visible)
        .doesNotHaveDuplicates()
        .contains(open.get(0));
  }

  /**
   * Kills the demo as soon as a checkpoint has completed, before it can commit, if we are lucky.
   */
  private void killAtACompletedCheckpoint(String name) throws Exception {
    Set<Path> known = Set.copyOf(TestingProcesses.checkpoints(data));
    Process process = demo(name, "--for", "120s");
    List<Path> first = new ArrayList<>();
    TestingProcesses.await(
        () -> {
          first.addAll(TestingProcesses.checkpoints(data));
          first.removeAll(known);
          return !first.isEmpty() || !process.isAlive();
        });
    assertThat(process.isAlive()).as(processes.said(name)).isTrue();
    Path folder = first.get(0).getParent();
    int number = Integer.parseInt(folder.getFileName().toString().substring("chk-".length()));
    Path next = folder.resolveSibling("chk-" + (number + 1)).resolve("_metadata");
    while (!Files.exists(next)) {
      Thread.onSpinWait();
    }
    process.destroyForcibly().waitFor();
  }

  private void goesOn() throws Exception {
    Process again = demo("goes-on", "--for", "12s");
    assertThat(again.waitFor(3, TimeUnit.MINUTES) && again.exitValue() == 0)
        .as(processes.said("goes-on"))
        .isTrue();
    assertThat(Files.readString(processes.output("goes-on")))
        .contains("Going on from the newest checkpoint");
  }

  private Process demo(String name, String... more) throws IOException {
    List<String> args =
        new ArrayList<>(
            List.of("demo", "--pipeline", pipelineFile.toString(), "--data-dir", data.toString()));
    args.addAll(List.of(LOAD));
    args.addAll(List.of(more));
    return processes.start(name, args.toArray(String[]::new));
  }

  /**
   * What lies on the model topic.
   *
   * @param written versions of which there is any message, committed or not
   * @param announced versions with a manifest, committed or not
   * @param visible versions whose manifests are committed, each of them whole
   */
  private record Topic(List<String> written, List<String> announced, List<String> visible) {}

  private Topic read() throws Exception {
    try (EmbeddedBroker broker = EmbeddedBroker.start(data.resolve("kafka"))) {
      Pipeline pipeline = PipelineFile.read(pipelineFile).withBootstrap(broker.bootstrap());
      List<String> written = new ArrayList<>();
      List<String> announced = new ArrayList<>();
      for (ModelRecord record : read(pipeline, "read_uncommitted")) {
        written.add(record.version());
        if (record.index() == ModelRecord.MANIFEST && record.value() != null) {
          announced.add(record.version());
        }
      }
      List<String> visible = new ArrayList<>();
      SnapshotAssembler assembler = new SnapshotAssembler();
      for (ModelRecord record : read(pipeline, "read_committed")) {
        // Fails if a version that is announced is not whole.
        assembler.accept(record).ifPresent(s -> visible.add(s.manifest().version()));
      }
      return new Topic(written, announced, visible);
    }
  }

  private static List<ModelRecord> read(Pipeline pipeline, String isolation) {
    Map<String, Object> settings =
        Map.of("bootstrap.servers", pipeline.kafka().bootstrap(), "isolation.level", isolation);
    TopicPartition partition = new TopicPartition(pipeline.topic(SystemTopic.MODELS), 0);
    List<ModelRecord> records = new ArrayList<>();
    try (var consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end) {
        for (var message : consumer.poll(Duration.ofMillis(200))) {
          if (!ModelRecords.isName(message.key())) {
            records.add(ModelTopic.record(message));
          }
        }
      }
    }
    return records;
  }
}
