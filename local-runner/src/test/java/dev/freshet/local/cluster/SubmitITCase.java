package dev.freshet.local.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.local.TestingCommand;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.replica.ModelReplica;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.ExternalResourceOptions;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.configuration.WebOptions;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.jobmaster.JobResult;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A job jar on a cluster that was there before, with the cluster's own settings from {@code
 * conf/config.yaml}: submitted, stopped with a savepoint, and submitted again from it.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class SubmitITCase {

  private static final String PIPELINE =
      """
      pipeline: submitted
      kafka: {bootstrap: 'nowhere:9092'}
      tasks:
        - {name: click, kind: binary, window: 1m}
      labels: {holdout: 0.0, disorder: 1s, idle-after: 1s}
      features:
        - {name: user, kind: categorical}
      models:
        - {name: main, kind: shared-bottom, bottom: [8], tower: [8]}
      training: {max-wait: 100ms}
      publishing: {gate: {require-labels: 0}}
      """;

  private static final long START = 1_767_225_600_000L;

  @TempDir private Path folder;
  private EmbeddedBroker broker;
  private MiniCluster cluster;
  private Path file;
  private int sent;

  @BeforeEach
  void open() throws Exception {
    broker = EmbeddedBroker.start(folder.resolve("kafka"));
    file = Files.writeString(folder.resolve("submitted.yaml"), PIPELINE);
    Configuration conf = GlobalConfiguration.loadConfiguration(Path.of("..", "conf").toString());
    conf.set(RestOptions.BIND_PORT, "0");
    conf.set(RestOptions.ADDRESS, "127.0.0.1");
    conf.set(RestOptions.BIND_ADDRESS, "127.0.0.1");
    conf.set(CoreOptions.TMP_DIRS, folder.toString());
    conf.set(WebOptions.TMP_DIR, folder.toString());
    // All that is in the job's jar is on the class path of this one process too.
    conf.set(CoreOptions.CLASSLOADER_RESOLVE_ORDER, "parent-first");
    conf.set(
        CheckpointingOptions.CHECKPOINTS_DIRECTORY,
        folder.resolve("checkpoints").toUri().toString());
    conf.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofSeconds(1));
    conf.set(CheckpointingOptions.MIN_PAUSE_BETWEEN_CHECKPOINTS, Duration.ZERO);
    conf.set(ExternalResourceOptions.EXTERNAL_RESOURCE_LIST, List.of("gpu"));
    conf.setString("external-resource.gpu.amount", "1");
    // For three slots: a trainer on a GPU keeps its rows in a slot of its own.
    conf.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(512));
    cluster =
        new MiniCluster(
            new MiniClusterConfiguration.Builder()
                .setConfiguration(conf)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(3)
                .build());
    cluster.start();
  }

  @AfterEach
  void close() throws Exception {
    cluster.close();
    broker.close();
  }

  @Test
  void goesOnFromASavepoint() throws Exception {
    topics();
    send(400);
    TestingCommand first = submit();
    assertThat(first.code()).as(first.out() + first.err()).isZero();
    assertThat(first.out()).contains("/#/job/running/").endsWith("running\n");

    Pipeline pipeline = PipelineFile.parse(PIPELINE, "test").withBootstrap(broker.bootstrap());
    long learnt;
    try (ModelReplica replica = ModelReplica.follow(pipeline, "main")) {
      learnt = await(replica, 0);
    }
    TestingCommand again = submit();
    assertThat(again.code()).as(again.out() + again.err()).isEqualTo(2);
    assertThat(again.err()).contains("job " + job(first) + " does").contains("--savepoint");

    String savepoint =
        cluster
            .stopWithSavepoint(
                job(first),
                folder.resolve("savepoints").toUri().toString(),
                false,
                SavepointFormatType.CANONICAL)
            .get();
    send(400);
    TestingCommand second = submit("--savepoint", savepoint, "--parallelism", "1");
    assertThat(second.code()).as(second.out() + second.err()).isZero();
    try (ModelReplica replica = ModelReplica.follow(pipeline, "main")) {
      assertThat(await(replica, learnt)).isGreaterThan(learnt);
    }
    cluster.cancelJob(job(second)).get();
  }

  @Test
  void saysWhatIsWrongBeforeAnythingIsSubmitted() throws Exception {
    TestingCommand noTopics = submit();
    assertThat(noTopics.code()).as(noTopics.out() + noTopics.err()).isEqualTo(2);
    assertThat(noTopics.err()).contains("topics create");
    TestingCommand nobody =
        TestingCommand.run(
            "submit",
            "--jobmanager",
            "http://127.0.0.1:1",
            "--pipeline",
            file.toString(),
            "--jar",
            jar().toString());
    assertThat(nobody.code()).as(nobody.out() + nobody.err()).isEqualTo(1);
    assertThat(nobody.err()).contains("no job manager at http://127.0.0.1:1: connection refused");
    TestingCommand noUrl =
        TestingCommand.run("submit", "--jobmanager", "jobmanager", "--pipeline", file.toString());
    assertThat(noUrl.code()).isEqualTo(2);
    assertThat(noUrl.err())
        .contains("--jobmanager: 'jobmanager'; allowed: HOST:PORT, http://HOST:PORT or https");
    refused("--parallelism: '0'; allowed: 1 or more", "--parallelism", "0");
    refused("--allow-non-restored: goes with --savepoint", "--allow-non-restored");
    refused("--savepoint: 'nope'; allowed: the whole path", "--savepoint", "nope");
    assertThat(cluster.listJobs().get()).isEmpty();
  }

  private void refused(String why, String... options) throws Exception {
    TestingCommand command = submit(options);
    assertThat(command.code()).as(command.out() + command.err()).isEqualTo(2);
    assertThat(command.err()).contains(why);
  }

  /**
   * An answer of a job manager of another version, and of one that was never told to checkpoint.
   */
  @Test
  void asksWhetherTheClusterFits() throws Exception {
    assertThat(submitTo("{\"flink-version\": \"2.1.0\"}"))
        .contains("runs Flink 2.1.0; allowed: 2.3.x, for which this is built");
    String version = EnvironmentInformation.getVersion();
    assertThat(submitTo("{\"flink-version\": \"" + version + "\"}"))
        .contains("execution.checkpointing.interval: not given")
        .contains("a version is published at each checkpoint");
  }

  private String submitTo(String overview) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    Map.of("/overview", overview, "/jobmanager/config", "[]")
        .forEach(
            (path, body) ->
                server.createContext(
                    path,
                    exchange -> {
                      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
                      exchange.sendResponseHeaders(200, bytes.length);
                      exchange.getResponseBody().write(bytes);
                      exchange.close();
                    }));
    server.start();
    try {
      TestingCommand command =
          TestingCommand.run(
              "submit",
              "--jobmanager",
              "127.0.0.1:" + server.getAddress().getPort(),
              "--pipeline",
              file.toString(),
              "--jar",
              jar().toString());
      assertThat(command.code()).as(command.out() + command.err()).isEqualTo(2);
      return command.err();
    } finally {
      server.stop(0);
    }
  }

  /** Flink calls a job running whose tasks all wait for slots. */
  @Test
  void isNotContentWithAJobWhoseTasksDoNotRun() throws Exception {
    topics();
    TestingCommand waiting = submit("--parallelism", "3", "--timeout", "5s");
    assertThat(waiting.code()).as(waiting.out() + waiting.err()).isEqualTo(1);
    assertThat(waiting.out())
        .contains("Warning: 3 slots are free of 3, the job takes 4")
        .contains(", 0 of ")
        .contains("Not all tasks run after 5s (--timeout)")
        .doesNotEndWith("running\n");
    cluster.cancelJob(job(waiting)).get();
  }

  /**
   * Flink gives the trainer a slot with a GPU, of those that the task manager counts; there the
   * trainer finds none, says so, and is not tried again.
   */
  @Test
  void aTrainerThatIsToHaveAGpuIsRefusedWhereThereIsNone() throws Exception {
    Files.writeString(file, PIPELINE.replace("training: {", "training: {device: gpu, "));
    topics();
    TestingCommand submitted = submit();
    assertThat(submitted.code()).as(submitted.out() + submitted.err()).isEqualTo(1);
    assertThat(submitted.err()).contains("training.device is gpu, but PyTorch sees no GPU here");
    JobResult result = cluster.requestJobResult(job(submitted)).get(1, TimeUnit.MINUTES);
    assertThat(result.isSuccess()).isFalse();
    assertThat(result.getSerializedThrowable().orElseThrow().getFullStringifiedStackTrace())
        .contains("model 'main': training.device is gpu, but PyTorch sees no GPU here");
  }

  private void topics() {
    TestingCommand.run(
        "topics",
        "create",
        "--pipeline",
        file.toString(),
        "--bootstrap",
        broker.bootstrap(),
        "--replication-factor",
        "1");
  }

  private TestingCommand submit(String... more) throws Exception {
    URI rest = cluster.getRestAddress().get();
    return TestingCommand.run(
        Stream.concat(
                Stream.of(
                    "submit",
                    "--jobmanager",
                    rest.toString(),
                    "--pipeline",
                    file.toString(),
                    "--bootstrap",
                    broker.bootstrap(),
                    "--jar",
                    jar().toString()),
                Stream.of(more))
            .toArray(String[]::new));
  }

  static Path jar() throws Exception {
    try (Stream<Path> files = Files.list(Path.of("..", "streaming-job", "target"))) {
      return files.filter(f -> f.toString().endsWith("-job.jar")).findAny().orElseThrow();
    }
  }

  private static JobID job(TestingCommand submitted) {
    Matcher id = Pattern.compile("as job ([0-9a-f]{32})").matcher(submitted.out());
    assertThat(id.find()).as(submitted.out()).isTrue();
    return JobID.fromHexString(id.group(1));
  }

  /** Examples that a version after that one has learnt. */
  private static long await(ModelReplica replica, long after) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
    while (replica.manifest().map(m -> m.examples() <= after).orElse(true)) {
      assertThat(System.nanoTime()).as("a version").isLessThan(end);
      TimeUnit.MILLISECONDS.sleep(50);
    }
    return replica.manifest().orElseThrow().examples();
  }

  /** Impressions ten seconds apart, every third clicked. */
  private void send(int count) {
    try (var producer =
        new KafkaProducer<>(
            Map.<String, Object>of("bootstrap.servers", broker.bootstrap()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (int end = sent + count; sent < end; sent++) {
        long time = START + sent * 10_000L;
        String event = "{\"impression_id\":\"i%d\",\"event_time\":%d,".formatted(sent, time);
        List<String> topics =
            sent % 3 == 0 ? List.of("impressions", "click") : List.of("impressions");
        for (String topic : topics) {
          String rest =
              topic.equals("click")
                  ? "\"event_id\":\"c\"}"
                  : "\"features\":{\"user\":\"u%d\"}}".formatted(sent % 7);
          producer.send(
              new ProducerRecord<>(topic, (event + rest).getBytes(StandardCharsets.UTF_8)));
        }
      }
    }
  }
}
