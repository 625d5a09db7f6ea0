package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.freshet.core.events.Impression;
import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.job.publishing.KafkaSinks;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.broker.Topics;
import dev.freshet.replica.ModelReplica;
import dev.freshet.replica.RefusalReason;
import dev.freshet.replica.ReplicaListener;
import dev.freshet.replica.ReplicaSettings;
import dev.freshet.replica.Versions;
import dev.freshet.replica.Waiting;
import dev.freshet.topics.ModelPartitions;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.publishing.Lineage;
import dev.freshet.training.publishing.SnapshotWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a replica makes of what can be on the model topic: real broker, real transactions. */
@Timeout(value = 8, unit = TimeUnit.MINUTES)
class ReplicaITCase {

  private static final Duration LONG = Duration.ofSeconds(30);

  @TempDir private static Path folder;
  private static EmbeddedBroker broker;
  private static int topics;

  private Pipeline pipeline;
  private ModelTrainer trainer;
  private SnapshotWriter writer;
  private KafkaProducer<byte[], byte[]> producer;
  private final Map<String, double[]> predicted = new LinkedHashMap<>();

  @BeforeAll
  static void start() throws Exception {
    broker = EmbeddedBroker.start(folder);
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  @BeforeEach
  void open() throws Exception {
    pipeline = pipelineOnANewTopic();
    trainer = new ModelTrainer(pipeline.context(pipeline.model("plain")), pipeline.training());
    writer = new SnapshotWriter(pipeline);
    producer = producer("trainer-" + topics);
    producer.initTransactions();
  }

  private static Pipeline pipelineOnANewTopic() throws Exception {
    // With so few messages a poll every version comes in pieces; and nobody may ask for an offset
    // that is not there.
    Pipeline made =
        TestingPipelines.shop(
                "tasks:",
                """
                kafka:
                  topics: {models: models-%d}
                  properties: {max.poll.records: "3", auto.offset.reset: none}
                publishing: {keep: 3, base-every: 4, largest-delta: 100, chunk: 1KB}
                tasks:"""
                    .formatted(topics++))
            .withBootstrap(broker.bootstrap());
    try (Topics admin = new Topics(made)) {
      admin.create(1);
    }
    return made;
  }

  private static KafkaProducer<byte[], byte[]> producer(String transactions) {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            broker.bootstrap(),
            ProducerConfig.TRANSACTIONAL_ID_CONFIG,
            transactions),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  @AfterEach
  void close() {
    trainer.close();
    producer.close();
  }

  private List<ModelRecord> nextVersion() {
    trainer.process(TestingExamples.settled(pipeline, 64, trainer.steps()));
    List<ModelRecord> records = new ArrayList<>();
    ModelVersion version = new ModelVersion(9, trainer.steps());
    Manifest manifest =
        writer.write(trainer, version, Lineage.UNKNOWN, System.currentTimeMillis(), records::add);
    float[] said = trainer.network().predict(TestingExamples.settled(pipeline, 1, 77))[0];
    predicted.put(manifest.version(), trainer.served().served(said));
    return records;
  }

  private void send(Pipeline to, List<ModelRecord> records) {
    for (ModelRecord record : records) {
      producer.send(KafkaSinks.message(to.topic(SystemTopic.MODELS), 1, record));
    }
  }

  /** Publishes the next version as the job does, and tells its number. */
  private String publish() {
    List<ModelRecord> records = nextVersion();
    producer.beginTransaction();
    send(pipeline, records);
    producer.commitTransaction();
    return records.get(0).version();
  }

  private void awaitVersion(ModelReplica replica, String version) throws InterruptedException {
    await(() -> replica.manifest().map(m -> m.version().equals(version)).orElse(false));
    Impression impression = TestingExamples.labelled(1, 77).get(0).impression();
    var prediction = replica.predict(List.of(impression)).get(0);
    assertThat(prediction.version()).isEqualTo(version);
    assertThat(prediction.scores().get("click")).isCloseTo(predicted.get(version)[0], within(1e-6));
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + LONG.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time").isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  @Test
  void followsBasesAndDeltasFromAnEmptyTopicOn() throws Exception {
    List<String> heard = new CopyOnWriteArrayList<>();
    List<Duration> swaps = new CopyOnWriteArrayList<>();
    try (ModelReplica replica = ModelReplica.follow(pipeline, "plain")) {
      replica.listen(
          new ReplicaListener() {
            @Override
            public void version(Manifest manifest) {
              heard.add(manifest.type());
            }

            @Override
            public void swapped(Duration took) {
              swaps.add(took);
            }
          });
      assertThat(replica.awaitVersion(Duration.ofMillis(500))).isFalse();
      for (int i = 0; i < 6; i++) {
        awaitVersion(replica, publish());
      }
      // A version is in use a moment before its listeners hear of it.
      await(() -> heard.size() >= 6 && swaps.size() >= 6);
      assertThat(heard).containsExactly("base", "delta", "delta", "delta", "delta", "delta");
      assertThat(swaps).hasSize(6).allMatch(took -> took.toNanos() > 0 && took.compareTo(LONG) < 0);
      assertThat(replica.refused()).isEmpty();
    }
  }

  /** The disk has no room for the second version, then it has. */
  @Test
  void aFullDiskIsWaitedForAndNoVersionIsLost(@TempDir Path kept) throws Exception {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "no device that is always full");
    List<String> refusals = new CopyOnWriteArrayList<>();
    try (ModelReplica replica =
        ModelReplica.follow(pipeline, "plain", new ReplicaSettings(kept, 0))) {
      replica.listen(
          new ReplicaListener() {
            @Override
            public void refused(RefusalReason reason, String detail) {
              refusals.add(detail);
            }
          });
      awaitVersion(replica, publish());
      Files.createSymbolicLink(kept.resolve("plain").resolve("9-2.part"), full);
      awaitVersion(replica, publish());
      awaitVersion(replica, publish());
      assertThat(replica.refused()).isEqualTo(Map.of(RefusalReason.STORAGE, 1L));
      assertThat(refusals).hasSize(1);
      assertThat(refusals.get(0)).contains("9-2").contains("No space left").contains("tried again");
    }
  }

  /** As above, but all that there is on the topic must be read before any of it is taken. */
  @Test
  void aFullDiskAtTheStartIsWaitedForToo(@TempDir Path kept) throws Exception {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "no device that is always full");
    publish();
    String second = publish();
    try (ModelReplica replica =
        ModelReplica.follow(pipeline, "plain", new ReplicaSettings(kept, 0))) {
      // It may be there before or after the chunks come.
      Path part = kept.resolve("plain").resolve("9-2.part");
      if (!Files.exists(part)) {
        Files.createSymbolicLink(part, full);
      }
      awaitVersion(replica, second);
      assertThat(replica.refused().keySet()).isSubsetOf(RefusalReason.STORAGE);
    }
  }

  /**
   * Whoever closes need not wait, but what is being taken meanwhile is not pulled away: neither the
   * weights nor the folder.
   */
  @Test
  void closingWaitsForWhatIsBeingTaken() throws Exception {
    CountDownLatch taken = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    publish();
    ModelReplica replica = ModelReplica.follow(pipelineInOneFetch(), "plain");
    assertThat(replica.awaitVersion(LONG)).isTrue();
    replica.listen(
        new ReplicaListener() {
          @Override
          public void version(Manifest manifest) {
            taken.countDown();
            try {
              closed.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          }
        });
    producer.beginTransaction();
    send(pipeline, nextVersion());
    send(pipeline, nextVersion());
    send(pipeline, nextVersion());
    producer.commitTransaction();
    taken.await();
    Thread.currentThread().interrupt();
    replica.close();
    assertThat(Thread.interrupted()).isTrue();
    assertThatThrownBy(() -> replica.predict(List.of())).hasMessageContaining("closed");
    closed.countDown();
    replica.close();
    assertThat(replica.failure()).isEmpty();
    assertThat(replica.manifest()).isEmpty();
  }

  private Pipeline pipelineInOneFetch() {
    return TestingPipelines.shop(
            "tasks:",
            """
            kafka: {topics: {models: %s}}
            tasks:"""
                .formatted(pipeline.topic(SystemTopic.MODELS)))
        .withBootstrap(broker.bootstrap());
  }

  /** Chunks beyond what a fetch may bring, as the user's own settings have it. */
  @Test
  void largeChunksComeWhole() throws Exception {
    String file =
        TestingPipelines.SHOP
            .replace("bottom: [16]", "bottom: [600, 600]")
            .replace(
                "tasks:",
                """
                kafka:
                  topics: {models: %s}
                  properties: {max.partition.fetch.bytes: "1000", fetch.max.bytes: "1000"}
                publishing: {chunk: 900KB}
                tasks:"""
                    .formatted(pipeline.topic(SystemTopic.MODELS)));
    Pipeline large = PipelineFile.parse(file, "test").withBootstrap(broker.bootstrap());
    try (TestingPublisher publisher = new TestingPublisher(large);
        ModelReplica replica = ModelReplica.follow(large, "plain")) {
      String first = publisher.publish();
      await(() -> replica.manifest().map(Manifest::version).equals(Optional.of(first)));
      assertThat(replica.manifest().get().chunks().get(0).bytes()).isEqualTo(900 << 10);
      assertThat(replica.refused()).isEmpty();
    }
  }

  /** What it waits for, from a topic that is not there to a version that it can use. */
  @Test
  void saysWhatItWaitsFor() throws Exception {
    String name = "models-later-" + topics++;
    Pipeline later =
        TestingPipelines.shop("tasks:", "kafka: {topics: {models: %s}}\ntasks:".formatted(name))
            .withBootstrap(broker.bootstrap());
    List<Waiting> heard = new CopyOnWriteArrayList<>();
    try (ModelReplica replica = ModelReplica.follow(later, "plain");
        Admin admin =
            Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrap()))) {
      replica.listen(
          new ReplicaListener() {
            @Override
            public void waiting(Waiting what, String detail) {
              if (what != Waiting.END) {
                heard.add(what);
              }
            }
          });
      await(() -> replica.state().waiting() == Waiting.TOPIC);
      assertThat(replica.state().detail()).contains(name).contains("does not exist");
      admin.createTopics(List.of(new NewTopic(name, 1, (short) 1))).all().get();
      await(() -> replica.state().waiting() == Waiting.PARTITION);
      assertThat(replica.state().detail()).contains("no partition of model plain");
      admin.createPartitions(Map.of(name, NewPartitions.increaseTo(2))).all().get();
      ModelPartitions.claim(later);
      await(() -> replica.state().waiting() == Waiting.VERSION);
      String otherEdges =
          TestingPipelines.SHOP
              .replace("edges: [1, 10, 100]", "edges: [1, 10, 200]")
              .replace("tasks:", "kafka: {topics: {models: %s}}\ntasks:".formatted(name));
      Pipeline other = PipelineFile.parse(otherEdges, "test").withBootstrap(broker.bootstrap());
      try (TestingPublisher wrong = new TestingPublisher(other)) {
        wrong.publish();
        wrong.publish();
      }
      await(() -> replica.state().detail().contains("other-schema"));
      assertThat(replica.state().detail())
          .contains("it has price: numeric, dim 4, edges [1.0, 10.0, 200.0]")
          .contains("here is price: numeric, dim 4, edges [1.0, 10.0, 100.0]")
          .doesNotContain("user");
      assertThat(replica.caughtUp()).isTrue();
      try (TestingPublisher right = new TestingPublisher(later)) {
        right.publish();
      }
      await(() -> replica.state().waiting() == Waiting.NOTHING);
      assertThat(replica.lagSeconds()).isLessThan(LONG.toSeconds());
      await(() -> heard.contains(Waiting.NOTHING));
      assertThat(new LinkedHashSet<>(heard))
          .containsSubsequence(Waiting.PARTITION, Waiting.VERSION, Waiting.NOTHING);
    }
  }

  /** The fifth version is a delta and a base; whoever has the fourth takes the delta alone. */
  @Test
  void whoFollowsPassesOverBases() throws Exception {
    try (ModelReplica replica = ModelReplica.follow(pipeline, "plain")) {
      for (int i = 0; i < 4; i++) {
        awaitVersion(replica, publish());
      }
      List<ModelRecord> fifth = nextVersion();
      List<Integer> manifests =
          IntStream.range(0, fifth.size())
              .filter(i -> fifth.get(i).index() == ModelRecord.MANIFEST)
              .boxed()
              .toList();
      assertThat(manifests).hasSize(2);
      assertThat(manifests.get(1) - manifests.get(0)).as("more than two polls").isGreaterThan(6);
      ModelRecord chunk = fifth.get(manifests.get(1) - 2);
      byte[] damaged = chunk.value().clone();
      damaged[0] ^= 1;
      fifth.set(
          manifests.get(1) - 2,
          new ModelRecord(chunk.key(), damaged, chunk.version(), chunk.index(), chunk.count()));
      int some = manifests.get(0) + 4;
      producer.beginTransaction();
      send(pipeline, fifth.subList(0, some));
      producer.commitTransaction();
      awaitVersion(replica, fifth.get(0).version());
      Thread.sleep(600); // it has come to the end, in the middle of the base
      producer.beginTransaction();
      send(pipeline, fifth.subList(some, fifth.size()));
      producer.commitTransaction();
      await(() -> replica.manifest().map(m -> !m.isDelta()).orElse(false));
      awaitVersion(replica, publish());
      assertThat(replica.refused()).as("who does not read it does not see the damage").isEmpty();
    }
    try (ModelReplica replica = ModelReplica.follow(pipeline, "plain")) {
      assertThat(replica.awaitVersion(LONG)).isTrue();
      assertThat(replica.refused()).as("who does, sees it").containsKey(RefusalReason.BROKEN);
    }
  }

  @Test
  void pinsRollsBackAndFollowsAgain() throws Exception {
    List<String> versions = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      versions.add(publish());
    }
    try (ModelReplica replica = ModelReplica.follow(pipeline, "plain")) {
      assertThat(replica.awaitVersion(LONG)).isTrue();
      awaitVersion(replica, versions.get(5));
      assertThat(replica.pin(versions.get(2)).get(30, TimeUnit.SECONDS).version())
          .isEqualTo(versions.get(2));
      awaitVersion(replica, versions.get(2));
      versions.add(publish());
      Thread.sleep(600);
      awaitVersion(replica, versions.get(2)); // still
      assertThat(replica.pinned()).contains(versions.get(2));
      replica.unpin();
      awaitVersion(replica, versions.get(6));
      replica.rollBack().get(30, TimeUnit.SECONDS);
      awaitVersion(replica, versions.get(5));
      replica.rollBack().get(30, TimeUnit.SECONDS);
      awaitVersion(replica, versions.get(4));
      assertThatThrownBy(() -> replica.pin("9-12345").get(30, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .hasMessageContaining("version 9-12345 is not on the topic");
      awaitVersion(replica, versions.get(6)); // a pin that cannot be held is given up
    }
  }

  @Test
  void whatIsNotCommittedOrNotWholeIsNeverSeen() throws Exception {
    String first = publish();
    producer.beginTransaction();
    send(pipeline, nextVersion());
    producer.abortTransaction();
    List<ModelRecord> half = nextVersion();
    producer.beginTransaction();
    send(pipeline, half.subList(0, half.size() / 2));
    producer.commitTransaction();
    try (ModelReplica replica = ModelReplica.follow(pipeline, "plain")) {
      assertThat(replica.awaitVersion(LONG)).isTrue();
      awaitVersion(replica, first);
      // The deltas after it build on versions that nobody has: refused until the next base.
      publish();
      await(() -> replica.refused().getOrDefault(RefusalReason.MISSING_PARENT, 0L) == 1);
      awaitVersion(replica, first);
      awaitVersion(replica, publish());
    }
  }

  @Test
  void aReplicaThatStartsInTheMiddleOfAWrite() throws Exception {
    String first = publish();
    List<ModelRecord> next = nextVersion();
    producer.beginTransaction();
    send(pipeline, next.subList(0, next.size() / 2));
    producer.flush();
    try (ModelReplica replica = ModelReplica.follow(pipeline, "plain")) {
      assertThat(replica.awaitVersion(LONG)).isTrue();
      awaitVersion(replica, first);
      send(pipeline, next.subList(next.size() / 2, next.size()));
      producer.flush();
      Thread.sleep(600);
      awaitVersion(replica, first); // all of it is there, and not committed
      producer.commitTransaction();
      awaitVersion(replica, next.get(0).version());
      assertThat(replica.refused()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1 << 20})
  void goesOnFromItsFolderEvenWithoutABroker(long rowCache) throws Exception {
    Path own = folder.resolve("replica-" + topics);
    for (int i = 0; i < 3; i++) {
      publish();
    }
    String third = List.copyOf(predicted.keySet()).get(2);
    try (ModelReplica replica =
        ModelReplica.follow(pipeline, "plain", new ReplicaSettings(own, rowCache))) {
      assertThat(replica.awaitVersion(LONG)).isTrue();
      awaitVersion(replica, third);
      assertThatThrownBy(
              () -> ModelReplica.follow(pipeline, "plain", new ReplicaSettings(own, rowCache)))
          .hasMessageContaining("in use by another replica");
    }
    try (ModelReplica replica =
        ModelReplica.follow(
            pipeline.withBootstrap("127.0.0.1:1"), "plain", new ReplicaSettings(own, rowCache))) {
      awaitVersion(replica, third);
      assertThat(replica.caughtUp()).isFalse();
    }
    List<String> heard = new CopyOnWriteArrayList<>();
    String fifth = "";
    for (int i = 0; i < 2; i++) {
      fifth = publish();
    }
    try (ModelReplica replica =
        ModelReplica.follow(pipeline, "plain", new ReplicaSettings(own, rowCache))) {
      replica.listen(
          new ReplicaListener() {
            @Override
            public void version(Manifest manifest) {
              heard.add(manifest.version());
            }
          });
      awaitVersion(replica, fifth);
      await(replica::caughtUp);
      assertThat(replica.refused()).isEmpty();
      assertThat(heard)
          .as("nothing is read twice")
          .doesNotContain(predicted.keySet().iterator().next());
    }
    try (Stream<Path> files = Files.list(own.resolve("plain"))) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .as("the new base, and no more")
          .filteredOn(name -> !name.startsWith("rows-"))
          .containsExactlyInAnyOrderElementsOf(
              rowCache > 0
                  ? List.of("position", "lock")
                  : List.of("position", "lock", fifth + ".safetensors", fifth + ".json"));
    }
  }

  @Test
  void aFolderThatWasDamagedIsPassedOver() throws Exception {
    long rowCache = 0;
    Path own = folder.resolve("replica-" + topics);
    String first = publish();
    String second = publish();
    try (ModelReplica replica =
        ModelReplica.follow(pipeline, "plain", new ReplicaSettings(own, rowCache))) {
      assertThat(replica.awaitVersion(LONG)).isTrue();
      awaitVersion(replica, second);
    }
    Path base = own.resolve("plain").resolve(first + ".safetensors");
    byte[] bytes = Files.readAllBytes(base);
    bytes[bytes.length / 2] ^= 1;
    Files.write(base, bytes);
    try (ModelReplica replica =
        ModelReplica.follow(pipeline, "plain", new ReplicaSettings(own, rowCache))) {
      assertThat(replica.awaitVersion(LONG)).isTrue();
      awaitVersion(replica, second);
    }
  }

  @Test
  void readsWhatCompactionLeaves() throws Exception {
    List<ModelRecord> all = new ArrayList<>();
    String last = "";
    for (int i = 0; i < 14; i++) {
      List<ModelRecord> records = nextVersion();
      all.addAll(records);
      last = records.get(0).version();
    }
    // Compaction keeps the newest message of each key, where it was.
    Map<String, ModelRecord> newest = new LinkedHashMap<>();
    for (ModelRecord record : all) {
      newest.remove(record.key());
      newest.put(record.key(), record);
    }
    newest.values().removeIf(record -> record.value() == null);
    assertThat(newest.size()).isLessThan(all.size() / 2);
    producer.beginTransaction();
    send(pipeline, List.copyOf(newest.values()));
    producer.commitTransaction();
    Set<String> found = new LinkedHashSet<>();
    Versions.read(pipeline, "plain", () -> false, s -> found.add(s.manifest().version()));
    List<String> whole = List.copyOf(found);
    assertThat(whole).as("three, and back to the oldest one's base").hasSizeBetween(3, 6);
    try (ModelReplica replica = ModelReplica.follow(pipeline, "plain")) {
      assertThat(replica.awaitVersion(LONG)).isTrue();
      awaitVersion(replica, last);
      int count = whole.size();
      for (String version : whole.subList(count - 3, count)) {
        replica.pin(version).get(30, TimeUnit.SECONDS);
        awaitVersion(replica, version);
      }
    }
    assertThat(Versions.whole(pipeline, "plain", last).orElseThrow().base().manifest().isDelta())
        .as("exported as one file")
        .isFalse();
  }
}
