package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.settings.InvalidSettingsException;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.job.publishing.KafkaSinks;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.replica.ModelReplica;
import dev.freshet.replica.ReplicaSettings;
import dev.freshet.topics.ModelPartitions;
import dev.freshet.topics.StartChecks;
import dev.freshet.topics.TopicAdmin;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.publishing.Lineage;
import dev.freshet.training.publishing.SnapshotWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A pipeline's topics on a real broker: whose partition is whose, what is made, what is refused.
 */
class TopicsITCase {

  private static final String PLAIN = "kind: shared-bottom, bottom: [16], tower: [8]}";
  private static final String MODELS =
      """
        - {name: main, kind: htlnet, tower: [16, 8], tau-steps: 50}
        - {name: plain, kind: shared-bottom, bottom: [16], tower: [8]}
      """;

  @TempDir private static Path folder;
  private static EmbeddedBroker broker;
  private static int topics;

  @BeforeAll
  static void start() throws Exception {
    broker = EmbeddedBroker.start(folder.resolve("kafka"));
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  private static String text(String topic, String... models) {
    StringBuilder list = new StringBuilder();
    for (String model : models) {
      list.append("  - {name: ").append(model).append(", ").append(PLAIN).append('\n');
    }
    String kafka =
        "kafka: {bootstrap: '%s', topics: {models: %s, impressions: %s-i, click: %s-c}}\ntasks:"
            .formatted(broker.bootstrap(), topic, topic, topic);
    return TestingPipelines.SHOP.replace(MODELS, list).replace("tasks:", kafka);
  }

  private static Pipeline pipeline(String topic, String... models) {
    return PipelineFile.parse(text(topic, models), "test");
  }

  private static void create(Pipeline pipeline) throws Exception {
    try (TopicAdmin admin = new TopicAdmin(pipeline)) {
      admin.create(1, Optional.of((short) 1), new ArrayList<>());
    }
  }

  /** What a job of the pipeline does at its start and at its first checkpoint. */
  private static Map<String, Integer> publish(Pipeline pipeline, int run) throws Exception {
    create(pipeline);
    Map<String, Integer> partitions = StartChecks.runAndClaim(pipeline, "test", none -> {});
    for (var model : pipeline.models()) {
      publish(pipeline, model.name(), run, partitions.get(model.name()));
    }
    return partitions;
  }

  private static void publish(Pipeline pipeline, String model, int run, int partition) {
    try (var trainer =
            new ModelTrainer(pipeline.context(pipeline.model(model)), pipeline.training());
        var producer =
            new KafkaProducer<>(
                Map.<String, Object>of("bootstrap.servers", broker.bootstrap()),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
      trainer.process(TestingExamples.settled(pipeline, 64, run));
      new SnapshotWriter(pipeline)
          .write(
              trainer,
              new ModelVersion(run, trainer.steps()),
              Lineage.UNKNOWN,
              System.currentTimeMillis(),
              record ->
                  producer.send(
                      KafkaSinks.message(pipeline.topic(SystemTopic.MODELS), partition, record)));
    }
  }

  private static void awaitRun(ModelReplica replica, int run) throws InterruptedException {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!replica.manifest().map(m -> m.version().startsWith(run + "-")).orElse(false)) {
      assertThat(System.nanoTime()).as("run %d of the model", run).isLessThan(deadline);
      Thread.sleep(50);
    }
  }

  @Test
  void modelsStayWhereTheyAreWhateverHappensToOthers() throws Exception {
    String topic = "models-" + topics++;
    Pipeline both = pipeline(topic, "a", "b");
    create(both);
    try (ModelReplica b = ModelReplica.follow(both, "b");
        ModelReplica a = ModelReplica.follow(both, "a")) {
      assertThat(publish(both, 10)).containsExactly(Map.entry("a", 0), Map.entry("b", 1));
      awaitRun(a, 10);
      awaitRun(b, 10);

      Pipeline removed = pipeline(topic, "b");
      assertThat(publish(removed, 20)).containsExactly(Map.entry("b", 1));
      awaitRun(b, 20);

      Pipeline reordered = pipeline(topic, "c", "b", "a");
      Path state = folder.resolve("replica");
      try (ModelReplica c = ModelReplica.follow(reordered, "c", new ReplicaSettings(state, 0))) {
        assertThat(publish(reordered, 30)).isEqualTo(Map.of("c", 2, "b", 1, "a", 0));
        awaitRun(a, 30);
        awaitRun(b, 30);
        awaitRun(c, 30);
      }
      assertThat(publish(reordered, 40)).isEqualTo(Map.of("c", 2, "b", 1, "a", 0));
      try (ModelReplica again =
          ModelReplica.follow(pipeline(topic, "c"), "c", new ReplicaSettings(state, 0))) {
        awaitRun(again, 40);
      }
      assertThat(a.refused()).isEmpty();
      assertThat(b.refused()).isEmpty();
      String list = "models list --model c --pipeline " + file(text(topic, "x", "c"));
      assertThat(TestingCommand.run(list.split(" ")).out())
          .contains("c 30-1 base")
          .contains("c 40-1 base")
          .satisfies(out -> assertThat(out.lines()).allMatch(line -> line.length() <= 80));
      var manifests = new ArrayList<Manifest>();
      for (String line : TestingCommand.run((list + " --json").split(" ")).out().split("\n")) {
        manifests.add(Manifest.fromJson(line.getBytes(StandardCharsets.UTF_8)));
      }
      assertThat(manifests).extracting(Manifest::version).containsExactly("30-1", "40-1");
      assertThat(manifests)
          .allSatisfy(each -> assertThat(each.quality().get("click")).containsKey("examples"));
    }
  }

  @Test
  void oldTopicsWithoutNamesAreReadByTheirKeys() throws Exception {
    String topic = "models-" + topics++;
    Pipeline both = pipeline(topic, "a", "b");
    create(both);
    publish(both, "a", 5, 0);
    publish(both, "b", 5, 1);
    Pipeline turned = pipeline(topic, "b", "a");
    try (ModelReplica b = ModelReplica.follow(turned, "b")) {
      awaitRun(b, 5);
      assertThat(ModelPartitions.claim(turned)).isEqualTo(Map.of("a", 0, "b", 1));
    }
  }

  @Test
  void everythingThatIsWrongIsToldAtOnceAndCreateMakesIt() throws Exception {
    String topic = "models-" + topics++;
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
      admin
          .createTopics(
              List.of(
                  new NewTopic(topic, 1, (short) 1).configs(Map.of("max.message.bytes", "1000")),
                  new NewTopic(topic + "-i", 1, (short) 1)
                      .configs(Map.of("cleanup.policy", "compact"))))
          .all()
          .get();
    }
    String text =
        text(topic, "a", "b")
            .replace("kafka: {", "kafka: {properties: {transaction.timeout.ms: '3600000'}, ");
    Pipeline pipeline = PipelineFile.parse(text, "test");
    InvalidSettingsException e =
        catchThrowableOfType(
            InvalidSettingsException.class, () -> StartChecks.run(pipeline, "test"));
    assertThat(e.problems().stream().map(p -> p.path()))
        .contains(
            "kafka.topics.click",
            "kafka.topics.models.partitions",
            "kafka.topics.models.cleanup.policy",
            "kafka.topics.models.max.message.bytes",
            "kafka.topics.impressions.cleanup.policy",
            "kafka.properties.transaction.timeout.ms");

    var refused = TestingCommand.run("topics", "check", "--pipeline", file(text));
    assertThat(refused.code()).isEqualTo(2);
    assertThat(refused.err()).contains("kafka.topics.click: '" + topic + "-c'");

    String good = file(text("models-" + topics++, "a", "b"));
    var made = TestingCommand.run("topics", "create", "--pipeline", good, "--partitions", "3");
    assertThat(made.code()).as(made.err()).isZero();
    assertThat(made.out()).contains("-c, 3 partitions");
    assertThat(TestingCommand.run("topics", "create", "--pipeline", good).out())
        .contains("nothing is missing");
    var checked = TestingCommand.run("topics", "check", "--pipeline", good);
    assertThat(checked.code()).as(checked.err()).isZero();
    assertThat(checked.out()).contains("are ready");
  }

  @Test
  void anotherModelNeedsAnotherPartition() throws Exception {
    String topic = "models-" + topics++;
    publish(pipeline(topic, "a"), 1);
    Pipeline more = pipeline(topic, "b", "a");
    assertThatThrownBy(() -> StartChecks.runAndClaim(more, "test", none -> {}))
        .isInstanceOf(InvalidSettingsException.class)
        .hasMessageContaining("kafka.topics.models.partitions: '1'; allowed: at least 2");
    create(more);
    assertThat(StartChecks.runAndClaim(more, "test", none -> {})).isEqualTo(Map.of("a", 0, "b", 1));
  }

  @Test
  void aModelOfAnotherPipelineIsRefusedByItsName() throws Exception {
    String topic = "models-" + topics++;
    publish(pipeline(topic, "a"), 1);
    String other = text(topic, "a").replace("pipeline: test", "pipeline: other");
    String says =
        "kafka.topics.models: '%s'; allowed: a topic on which no other pipeline has a model of the"
                .formatted(topic)
            + " same name: a is pipeline test's";
    for (String command : List.of("check", "create")) {
      var refused = TestingCommand.run("topics", command, "--pipeline", file(other));
      assertThat(refused.code()).isEqualTo(2);
      assertThat(refused.err()).contains("1 problem").contains(says);
    }
    assertThatThrownBy(() -> ModelPartitions.claim(PipelineFile.parse(other, "test")))
        .hasMessageContaining(says);
    // Models of other names may be there.
    Pipeline b =
        PipelineFile.parse(text(topic, "b").replace("pipeline: test", "pipeline: other"), "test");
    assertThat(publish(b, 2)).isEqualTo(Map.of("b", 1));
    assertThat(StartChecks.runAndClaim(pipeline(topic, "a"), "test", p -> {}))
        .isEqualTo(Map.of("a", 0));
  }

  @Test
  void whoElseWritesThereIsAWarning() throws Exception {
    String topic = "models-" + topics++;
    String text =
        text(topic, "a")
            .replace("{models:", "{dead-letters: T-d, metrics: T-m, models:")
            .replace("T-", topic + "-");
    Pipeline pipeline = PipelineFile.parse(text, "test");
    create(pipeline);
    assertThat(StartChecks.run(pipeline, "test")).isEmpty();
    try (var other = transaction("freshet-other-dead-letters-labels-0-3", topic + "-d");
        var open = transaction("freshet-test-dead-letters-labels-1-7", topic + "-d")) {
      other.commitTransaction();
      metrics(topic + "-m", "{\"pipeline\":\"test\"}", "{\"pipeline\":\"third\"}", "none");
      assertThat(StartChecks.run(pipeline, "test"))
          .hasSize(3)
          .anyMatch(
              warning ->
                  warning.startsWith("kafka.topics.metrics: pipeline third writes to " + topic))
          .anyMatch(
              warning ->
                  warning.equals(
                      "kafka.topics.dead-letters: pipeline other writes to "
                          + topic
                          + "-d as well, and nobody can tell whose a message is"))
          .anyMatch(warning -> warning.startsWith("transactions of a pipeline test are open"));
      open.abortTransaction();
    }
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
      admin
          .alterConsumerGroupOffsets(
              pipeline.consumerGroup(),
              Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(1)))
          .all()
          .get();
      assertThat(StartChecks.run(pipeline, "test"))
          .anyMatch(
              warning ->
                  warning.startsWith("consumer group freshet-test has read " + topic + ", which"));
      admin.deleteConsumerGroups(List.of(pipeline.consumerGroup())).all().get();
    }
  }

  private static void metrics(String topic, String... records) throws Exception {
    try (var producer =
        new KafkaProducer<>(
            Map.<String, Object>of("bootstrap.servers", broker.bootstrap()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (String record : records) {
        producer.send(new ProducerRecord<>(topic, record.getBytes(StandardCharsets.UTF_8))).get();
      }
    }
  }

  private static KafkaProducer<byte[], byte[]> transaction(String id, String topic)
      throws Exception {
    var producer =
        new KafkaProducer<>(
            Map.<String, Object>of("bootstrap.servers", broker.bootstrap(), "transactional.id", id),
            new ByteArraySerializer(),
            new ByteArraySerializer());
    producer.initTransactions();
    producer.beginTransaction();
    producer.send(new ProducerRecord<>(topic, new byte[1])).get();
    return producer;
  }

  @Test
  void retentionShorterThanTheWindowsIsAWarning() throws Exception {
    String topic = "models-" + topics++;
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
      admin
          .createTopics(
              List.of(
                  new NewTopic(topic + "-i", 1, (short) 1)
                      .configs(Map.of("retention.ms", "7200000")),
                  new NewTopic(topic + "-c", 1, (short) 1)
                      .configs(Map.of("retention.ms", "8160000", "retention.bytes", "1000000"))))
          .all()
          .get();
    }
    String file = file(text(topic, "a"));
    assertThat(TestingCommand.run("topics", "create", "--pipeline", file).code()).isZero();
    var checked = TestingCommand.run("topics", "check", "--pipeline", file);
    assertThat(checked.code()).as(checked.err()).isZero();
    assertThat(checked.out().lines().filter(line -> line.startsWith("Warning: ")))
        .hasSize(2)
        .anyMatch(
            line ->
                line.startsWith(
                    "Warning: kafka.topics.impressions: %s-i has retention.ms 7200000 (2h), less than"
                            .formatted(topic)
                        + " the 2h 16m that windows"))
        .anyMatch(
            line ->
                line.startsWith(
                    "Warning: kafka.topics.click: %s-c has retention.bytes 1000000 a partition"
                        .formatted(topic)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "topics check --pipeline FILE",
        "topics create --pipeline FILE",
        "models list --pipeline FILE",
        "models follow --pipeline FILE",
        "models export --pipeline FILE --out NOWHERE",
        "predict --pipeline FILE --impressions FILE",
        "reproduce --pipeline FILE"
      })
  void aDeadBrokerIsOneLine(String command) throws Exception {
    String text =
        TestingPipelines.SHOP.replace("tasks:", "kafka: {topics: {training-log: log}}\ntasks:");
    String file = file(text);
    String[] args = (command.replace("FILE", file) + " --bootstrap 127.0.0.1:1").split(" ");
    var dead = TestingCommand.run(args);
    assertThat(dead.err().strip())
        .isEqualTo("cannot reach a Kafka broker at 127.0.0.1:1: connection refused");
    assertThat(dead.code()).isEqualTo(4);
  }

  @Test
  void aTopicWithoutVersionsIsNoDeadBroker() throws Exception {
    String text = text("models-" + topics++, "a");
    String file = file(text);
    create(PipelineFile.parse(text, "test"));
    var none =
        TestingCommand.run("predict", "--pipeline", file, "--impressions", file, "--wait", "2s");
    assertThat(none.code()).isEqualTo(2);
    assertThat(none.err()).contains("no version of model a").contains("no partition of model a");
  }

  @Test
  void aReplicaSaysAtOnceThatNoBrokerIsThere() throws Exception {
    Pipeline nowhere = TestingPipelines.shop().withBootstrap("127.0.0.1:1");
    try (ModelReplica replica = ModelReplica.follow(nowhere, "main")) {
      while (!replica.state().detail().contains("connection refused")) {
        Thread.sleep(20);
      }
      assertThat(replica.state().detail())
          .isEqualTo("cannot reach a Kafka broker at 127.0.0.1:1: connection refused");
    }
  }

  private static String file(String text) throws IOException {
    Path file = Files.createTempFile(folder, "pipeline", ".yaml");
    return Files.writeString(file, text).toString();
  }

  /** One broker has no more than one replica to give, so what is missing is told, or refused. */
  @Test
  void replicasAreThoseOfTheSettings() throws Exception {
    String kafka = "kafka: {replication-factor: %d, min-insync-replicas: %d, ";
    Pipeline one =
        PipelineFile.parse(
            text("replicas", "a").replace("kafka: {", kafka.formatted(1, 1)), "test");
    Pipeline three =
        PipelineFile.parse(
            text("replicas", "a").replace("kafka: {", kafka.formatted(3, 2)), "test");
    List<String> warnings = new ArrayList<>();
    try (TopicAdmin admin = new TopicAdmin(three)) {
      assertThatThrownBy(() -> admin.create(1, Optional.empty(), new ArrayList<>()))
          .isInstanceOf(InvalidSettingsException.class)
          .hasMessageContaining("a topic that brokers make: ")
          .hasMessageContaining("replication factor");
      admin.create(1, Optional.of((short) 1), warnings);
    }
    assertThat(warnings)
        .anyMatch(line -> line.contains("replicas is made with min.insync.replicas 1, not 2"));
    assertThat(StartChecks.run(one, "test")).noneMatch(line -> line.contains("replica"));
    assertThat(StartChecks.run(three, "test"))
        .anyMatch(
            line ->
                line.contains("replicas has 1 replicas of a partition, fewer than")
                    && line.contains("kafka.replication-factor, 3"))
        .anyMatch(
            line -> line.contains("replicas has min.insync.replicas 1, fewer than kafka.min-"));
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
      admin
          .incrementalAlterConfigs(
              Map.of(
                  new ConfigResource(ConfigResource.Type.TOPIC, "replicas"),
                  List.of(
                      new AlterConfigOp(
                          new ConfigEntry("min.insync.replicas", "2"), AlterConfigOp.OpType.SET))))
          .all()
          .get();
    }
    assertThatThrownBy(() -> StartChecks.run(one, "test"))
        .isInstanceOf(InvalidSettingsException.class)
        .hasMessageContaining("kafka.topics.models.min.insync.replicas: '2'; allowed: at most 1");
  }
}
