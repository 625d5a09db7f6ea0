package dev.freshet.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.local.broker.Topics;
import dev.freshet.replica.Versions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * A cluster of separate processes that learns, publishes and serves while its processes are killed
 * and its job is stopped and changed, at random moments: {@code -Dcluster.faults=20}, {@code
 * -Dcluster.seed=7}, {@code -Dcluster.kinds=kill-broker,rescale}. With {@code
 * -Dcluster.replaced-later} the next task manager starts when a fault is over, as one does that
 * takes no processors from those that are left: the slots of one more are there. Afterwards labels
 * are those of a job to which nothing happened, each learnt once; versions follow one another;
 * replicas have the newest; and what was published can be made again from the training log.
 */
class ClusterFaultsITCase {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern SUBMITTED = Pattern.compile("as job ([0-9a-f]{32})");
  private static final long PATIENCE = TimeUnit.MINUTES.toNanos(4);
  private static final long BROKER_DOWN = TimeUnit.SECONDS.toMillis(30);
  private static final long LONGEST_PAUSE = 5000;
  private static final int MOST_MODELS = 4;
  private static final double RATE = 150;

  private final int faults = Integer.getInteger("cluster.faults", 20);
  private final String kinds = System.getProperty("cluster.kinds", "");
  private final long seed = Long.getLong("cluster.seed", 7);
  private final boolean replacedLater = Boolean.getBoolean("cluster.replaced-later");
  private final Random random = new Random(seed);
  private final FaultTable table = new FaultTable();
  private final List<TestingReplica> replicas = new ArrayList<>();
  private final Path folder = Path.of("target", "cluster").toAbsolutePath();

  private TestingCluster cluster;
  private TestingFlink flink;
  private TestingWatch watch;
  private TestingShop shop;
  private String job;
  private int parallelism = 2;
  private int added;

  @Test
  void labelsVersionsAndReplicasAreThoseOfAnUndisturbedRun() throws Exception {
    System.out.printf("%d faults, -Dcluster.seed=%d%n", faults, seed);
    delete(folder);
    Files.createDirectories(folder);
    try {
      cluster =
          new TestingCluster(
              folder,
              Map.of(
                  "execution.checkpointing.interval", "5s",
                  "execution.checkpointing.min-pause", "1s",
                  // Faults come by the minute here: what is long past is forgiven.
                  "restart-strategy.exponential-delay.reset-backoff-threshold", "5s"));
      flink = new TestingFlink(cluster.address());
      watch = new TestingWatch(flink);
      until("task managers are there", () -> flink.slots() == TestingCluster.ALL_SLOTS);
      disturbed();
    } catch (Throwable failure) {
      System.out.println(cluster == null ? "no cluster" : cluster.told());
      throw failure;
    } finally {
      replicas.forEach(TestingReplica::close);
      if (watch != null) {
        watch.close();
      }
      if (cluster != null) {
        cluster.close();
      }
    }
  }

  private void disturbed() throws Exception {
    shop = TestingShop.demo(cluster.bootstrap());
    Path served = Files.createDirectories(folder.resolve("served"));
    Path servedFile = shop.write(served);
    submit(null, false);
    TestingFeed feed = new TestingFeed(shop.read(folder), seed, RATE, "", 0);
    for (String model : List.of("main", "baseline")) {
      until("a version of " + model, () -> !watch.versions(model).isEmpty());
      replicas.add(new TestingReplica(cluster, servedFile, folder.resolve(model), model));
    }
    for (TestingReplica replica : replicas) {
      until("the replica of " + replica.model() + " is ready", replica::ready);
    }
    for (Fault fault : Fault.plan(faults, kinds, random)) {
      TimeUnit.MILLISECONDS.sleep(random.nextLong(LONGEST_PAUSE));
      FaultTable.Row row = happens(fault);
      say(row.toString());
      table.add(row);
      until("all task managers are there", () -> flink.slots() == TestingCluster.ALL_SLOTS);
      watch.check();
      assertThat(flink.state(job)).isEqualTo("RUNNING");
    }
    feed.end();
    String drained = drain();
    say("drained");
    newestHasLearntEachOnce(TestingLabels.read(shop.read(folder), shop.examples()));
    versionsFollowOneAnother();
    replicasHaveTheNewest(servedFile);
    canBeMadeAgain();
    addAFeature(drained, feed.newest() + TimeUnit.HOURS.toMillis(1));
    System.out.println(table.markdown());
    Files.writeString(Path.of("target/reliability.md"), table.markdown());

    TestingLabels told = TestingLabels.read(shop.read(folder), shop.examples());

    shop = TestingShop.demo(cluster.bootstrap()).beside("undisturbed");
    submit(null, false);
    drain();
    TestingLabels expected = TestingLabels.read(shop.read(folder), shop.examples());
    say("%,d labels of %,d examples".formatted(expected.values().size(), expected.examples()));
    assertThat(expected.doubles()).isEmpty();
    assertThat(told.doubles()).as("told twice").isEmpty();
    assertThat(TestingLabels.differences(told, expected)).as("told, and undisturbed").isEmpty();
    assertThat(told.examples()).isEqualTo(expected.examples());
    labelsAreWhatHappened(expected);
  }

  // Faults

  private FaultTable.Row happens(Fault fault) throws Exception {
    long at = System.currentTimeMillis();
    long from = at;
    switch (fault) {
      case KILL_TASK_MANAGER -> {
        until("a task manager runs something", () -> !flink.busy().isEmpty());
        List<String> busy = flink.busy();
        cluster.killTaskManager(busy.get(random.nextInt(busy.size())));
        if (!replacedLater) {
          cluster.startTaskManager();
        }
      }
      case KILL_JOB_MANAGER -> cluster.killJobManager();
      case KILL_BROKER -> {
        cluster.killBroker();
        TimeUnit.MILLISECONDS.sleep(BROKER_DOWN);
        cluster.restartBroker();
        from = System.currentTimeMillis();
      }
      case KILL_REPLICA -> {
        TestingReplica replica = replicas.get(random.nextInt(replicas.size()));
        String version = replica.version();
        replica.kill();
        until("the replica is ready", replica::ready);
        assertThat(newer(replica.version(), version)).as("goes back from " + version).isFalse();
        long now = System.currentTimeMillis();
        return new FaultTable.Row(fault, (now - at) / 1e3, Double.NaN, Double.NaN, gap(at, now));
      }
      case RESCALE -> {
        parallelism = parallelism == 2 ? 1 : 2;
        resubmit(false);
      }
      case RESUBMIT -> resubmit(false);
      case ADD_A_MODEL -> add();
      case REMOVE_A_MODEL -> remove();
      case REORDER_MODELS -> {
        List<String> names = new ArrayList<>(shop.models().keySet());
        Collections.rotate(names, 1);
        Map<String, String> models = new LinkedHashMap<>();
        names.forEach(name -> models.put(name, shop.models().get(name)));
        shop = shop.withModels(models);
        resubmit(false);
      }
    }
    long since = from;
    until("a checkpoint after " + fault, () -> watch.completedSince(since).isPresent());
    long completed = watch.completedSince(since).orElseThrow().completed();
    for (String model : shop.models().keySet()) {
      until(
          "a version of " + model + " after " + fault,
          () -> watch.versions(model).stream().anyMatch(one -> one.seen() >= completed));
    }
    if (fault == Fault.KILL_TASK_MANAGER && replacedLater) {
      cluster.startTaskManager();
    }
    boolean failure = fault == Fault.KILL_TASK_MANAGER || fault == Fault.KILL_JOB_MANAGER;
    return new FaultTable.Row(
        fault,
        (completed - since) / 1e3,
        failure ? secondsUntil(watch.noticedSince(since), since, completed) : Double.NaN,
        secondsUntil(watch.runningSince(since), since, completed),
        gap(at, System.currentTimeMillis()));
  }

  private static double secondsUntil(OptionalLong moment, long since, long end) {
    return moment.isPresent() && moment.getAsLong() <= end
        ? (moment.getAsLong() - since) / 1e3
        : Double.NaN;
  }

  private double gap(long from, long to) {
    return watch.longestGap("main", from, to) / 1e3;
  }

  private void add() throws Exception {
    if (shop.models().size() == MOST_MODELS) {
      remove();
      return;
    }
    Map<String, String> models = new LinkedHashMap<>();
    models.put("added-" + added++, "kind: single-task"); // the others move on by one
    models.putAll(shop.models());
    shop = shop.withModels(models);
    resubmit(false);
  }

  private void remove() throws Exception {
    List<String> names = new ArrayList<>(shop.models().keySet());
    names.remove("main");
    if (names.isEmpty()) {
      add();
      return;
    }
    Map<String, String> models = new LinkedHashMap<>(shop.models());
    models.remove(names.get(random.nextInt(names.size())));
    shop = shop.withModels(models);
    resubmit(true);
  }

  /** Refused for models that were laid out without it; those of new names begin with it. */
  private void addAFeature(String drained, long begin) throws Exception {
    String field = "{name: weekday, kind: time, part: weekday, dim: 4}";
    shop = shop.withFeature(field);
    TestingCommand refused = submission(drained, false);
    assertThat(refused.code()).as(refused.printed()).isNotZero();
    assertThat(refused.printed()).contains("models.main").contains("give the model a new name");

    shop = shop.withModels(Map.of("wider", "kind: tafe, amount: {loss: ziln}"));
    long at = System.currentTimeMillis();
    submit(drained, true);
    TestingFeed feed = new TestingFeed(shop.read(folder), seed + 1, RATE, "second-", begin);
    until("versions of another layout", () -> watch.versions("wider").size() > 2);
    long completed = watch.completedSince(at).orElseThrow().completed();
    table.add(
        new FaultTable.Row(
            Fault.ADD_A_FEATURE,
            (completed - at) / 1e3,
            Double.NaN,
            Double.NaN,
            (watch.versions("wider").get(0).seen() - at) / 1e3));
    feed.end();
    drain();
  }

  // The job

  private void resubmit(boolean allowNonRestored) throws Exception {
    submit(stop(false), allowNonRestored);
  }

  private String stop(boolean drain) throws Exception {
    for (int attempt = 0; attempt < 3; attempt++) {
      var savepoint = flink.stop(job, drain, cluster.savepoints());
      if (savepoint.isPresent()) {
        until("the job has ended", () -> flink.state(job).equals("FINISHED"));
        return savepoint.get();
      }
      TimeUnit.SECONDS.sleep(5);
    }
    throw new AssertionError("no savepoint");
  }

  private void submit(String savepoint, boolean allowNonRestored) throws Exception {
    TestingCommand ran = submission(savepoint, allowNonRestored);
    assertThat(ran.code()).as(ran.printed()).isZero();
    Matcher submitted = SUBMITTED.matcher(ran.printed());
    assertThat(submitted.find()).as(ran.printed()).isTrue();
    job = submitted.group(1);
    watch.job(job);
    Pipeline pipeline = shop.read(folder);
    shop.models().keySet().forEach(model -> watch.follow(pipeline, model));
  }

  private TestingCommand submission(String savepoint, boolean allowNonRestored) throws Exception {
    Path file = shop.write(folder);
    TestingCommand topics =
        TestingCommand.run("topics", "create", "--pipeline=" + file, "--partitions=2");
    assertThat(topics.code()).as(topics.printed()).isZero();
    List<String> args =
        new ArrayList<>(
            List.of(
                "submit",
                "--jobmanager=" + cluster.address(),
                "--pipeline=" + file,
                "--parallelism=" + parallelism));
    if (savepoint != null) {
      args.add("--savepoint=" + savepoint);
    }
    if (allowNonRestored) {
      args.add("--allow-non-restored");
    }
    return TestingCommand.run(args.toArray(String[]::new));
  }

  /** Waits until everything is read, and ends the job as if time were over. */
  private String drain() throws Exception {
    try (Topics topics = new Topics(shop.read(folder))) {
      until("all events are read", topics::allRead);
    }
    return stop(true);
  }

  // What is true afterwards

  private void versionsFollowOneAnother() {
    for (String model : shop.models().keySet()) {
      List<TestingWatch.Published> versions = watch.versions(model);
      Map<String, Manifest> before = new HashMap<>();
      for (int i = 1; i < versions.size(); i++) {
        before.put(versions.get(i).manifest().version(), versions.get(i - 1).manifest());
        assertThat(newer(versions.get(i - 1).manifest(), versions.get(i).manifest())).isTrue();
      }
      assertThat(watch.manifests(model))
          .filteredOn(Manifest::isDelta)
          .as("deltas of " + model)
          .isNotEmpty()
          .allMatch(delta -> before.get(delta.version()).version().equals(delta.parent()));
      say("%s: %d versions".formatted(model, versions.size()));
    }
  }

  private static boolean newer(Manifest than, Manifest one) {
    return newer(than.version(), one.version()) && one.examples() >= than.examples();
  }

  private static boolean newer(String than, String one) {
    return ModelVersion.parse(one).compareTo(ModelVersion.parse(than)) > 0;
  }

  private void newestHasLearntEachOnce(TestingLabels told) throws Exception {
    String main = "main has learnt " + told.examples() + " examples";
    until(main, () -> newest("main").examples() >= told.examples());
    assertThat(newest("main").examples()).as(main).isEqualTo(told.examples());
  }

  private Manifest newest(String model) {
    List<TestingWatch.Published> versions = watch.versions(model);
    return versions.get(versions.size() - 1).manifest();
  }

  private void replicasHaveTheNewest(Path file) throws Exception {
    List<String> impressions = new ArrayList<>();
    Pipeline pipeline = shop.read(folder);
    TestingLabels.each(
        pipeline,
        pipeline.topic(SystemTopic.IMPRESSIONS),
        message -> {
          String text = new String(message.value(), StandardCharsets.UTF_8);
          if (impressions.size() < 100 && text.endsWith("}}}")) {
            impressions.add(text);
          }
        });
    Pipeline served = PipelineFile.read(file);
    Path asked = Files.write(folder.resolve("asked.jsonl"), impressions);
    for (TestingReplica replica : replicas) {
      String newest = newest(replica.model()).version();
      until("a replica has " + newest, () -> replica.version().equals(newest));
      assertThat(replica.payload(newest))
          .as("bytes of " + newest)
          .isEqualTo(payload(served, replica.model(), newest));
      JsonNode refused = replica.told().orElseThrow().path("versionsRefused");
      assertThat(refused).as("refused: " + refused).allMatch(count -> count.asLong() == 0);
      TestingCommand predict =
          TestingCommand.run(
              "predict",
              "--pipeline=" + file,
              "--model=" + replica.model(),
              "--impressions=" + asked);
      assertThat(predict.code()).as(predict.printed()).isZero();
      List<JsonNode> read = new ArrayList<>();
      for (String line : predict.printed().lines().filter(l -> l.startsWith("{")).toList()) {
        read.add(JSON.readTree(line).path("scores"));
      }
      List<JsonNode> scores = new ArrayList<>();
      replica.score(impressions).path("scores").forEach(one -> scores.add(one.path("scores")));
      assertThat(scores).hasSize(impressions.size()).isEqualTo(read);
    }
  }

  /** Of a version as it is on the topic. */
  private static byte[] payload(Pipeline pipeline, String model, String version)
      throws IOException {
    List<byte[]> found = new ArrayList<>();
    Versions.read(
        pipeline,
        model,
        () -> false,
        one -> {
          if (one.manifest().version().equals(version)) {
            found.add(one.bytes());
          }
        });
    assertThat(found).as(version).isNotEmpty();
    return found.get(found.size() - 1);
  }

  private void canBeMadeAgain() throws IOException {
    TestingCommand made =
        TestingCommand.run("reproduce", "--pipeline=" + shop.write(folder), "--model=main");
    assertThat(made.code()).as(made.printed()).isZero();
    assertThat(made.printed()).contains("the same bytes");
  }

  /** As the events say, without anything of Freshet: who is shown what, and clicked in time. */
  private void labelsAreWhatHappened(TestingLabels labels) throws Exception {
    Pipeline pipeline = shop.read(folder);
    Map<String, Long> shown = new HashMap<>();
    Map<String, Long> clicked = new HashMap<>();
    times(pipeline, pipeline.topic(SystemTopic.IMPRESSIONS), shown);
    times(pipeline, pipeline.topic(pipeline.tasks().get(0)), clicked);
    Set<String> impressions = new HashSet<>();
    long window = pipeline.tasks().get(0).windowMillis();
    for (Map.Entry<String, String> label : labels.values().entrySet()) {
      String[] of = label.getKey().split(" ");
      impressions.add(of[0]);
      if (of[1].equals("click")) {
        Long click = clicked.get(of[0]);
        boolean yes = click != null && click - shown.get(of[0]) <= window;
        assertThat(JSON.readTree(label.getValue()).path("value").asDouble())
            .as(label.toString())
            .isEqualTo(yes ? 1 : 0);
      }
    }
    assertThat(impressions).isEqualTo(shown.keySet());
    assertThat(labels.values()).hasSize(3 * shown.size());
  }

  private static void times(Pipeline pipeline, String topic, Map<String, Long> times) {
    TestingLabels.each(
        pipeline,
        topic,
        message -> {
          try {
            JsonNode event = JSON.readTree(message.value());
            if (event.path("event_time").isLong()) {
              times.putIfAbsent(
                  event.path("impression_id").asText(), event.path("event_time").asLong());
            }
          } catch (IOException malformed) {
            return;
          }
        });
  }

  // Means

  interface Condition {
    boolean holds() throws Exception;
  }

  private static void until(String what, Condition condition) throws Exception {
    long end = System.nanoTime() + PATIENCE;
    while (!condition.holds()) {
      assertThat(System.nanoTime()).as(what + ": not in time").isLessThan(end);
      TimeUnit.MILLISECONDS.sleep(100);
    }
  }

  private static void say(String what) {
    System.out.printf("%tT  %s%n", System.currentTimeMillis(), what);
  }

  private static void delete(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (var files = Files.walk(folder)) {
        for (Path file : files.sorted(Collections.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }
}
