package dev.freshet.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.replica.ModelTopic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/**
 * Notes when checkpoints complete, when the job manager notices a fault, and when versions come.
 */
final class TestingWatch implements AutoCloseable {

  /** A completed checkpoint; times are epoch milliseconds. */
  record Checkpoint(String job, long id, long triggered, long completed) {}

  /** A version, and when a reader of committed messages got it, epoch milliseconds. */
  record Published(Manifest manifest, long seen) {}

  private static final List<String> NOTICED =
      List.of("INITIALIZING", "CREATED", "FAILING", "RESTARTING");

  private final TestingFlink flink;
  private final Map<String, Checkpoint> checkpoints = new ConcurrentHashMap<>();
  private final TreeSet<Long> noticed = new TreeSet<>();
  private final TreeSet<Long> running = new TreeSet<>();
  private boolean allRun;
  private final Map<String, List<Published>> versions = new ConcurrentHashMap<>();
  private final List<Thread> threads = new ArrayList<>();
  private final List<Throwable> failures = new CopyOnWriteArrayList<>();
  private volatile String job;
  private volatile boolean closed;

  TestingWatch(TestingFlink flink) {
    this.flink = flink;
    start("watch-job", this::poll);
  }

  private void start(String name, Runnable what) {
    Thread thread = new Thread(what, name);
    thread.setDaemon(true);
    thread.setUncaughtExceptionHandler((of, failure) -> failures.add(failure));
    threads.add(thread);
    thread.start();
  }

  /** From now on this job is watched. */
  void job(String id) {
    job = id;
  }

  /** Follows a model from its first version on, if it does not yet. */
  void follow(Pipeline pipeline, String model) {
    if (versions.putIfAbsent(model, new CopyOnWriteArrayList<>()) == null) {
      start("watch-" + model, () -> read(pipeline, model));
    }
  }

  /** Versions of a model, each once, in the order in which they came. */
  List<Published> versions(String model) {
    Map<String, Published> distinct = new LinkedHashMap<>();
    versions.get(model).forEach(one -> distinct.putIfAbsent(one.manifest().version(), one));
    return List.copyOf(distinct.values());
  }

  /** Every manifest of a model: a version may come as a delta and as a base. */
  List<Manifest> manifests(String model) {
    return versions.get(model).stream().map(Published::manifest).toList();
  }

  /** The first checkpoint of the job that began after a moment. */
  Optional<Checkpoint> completedSince(long moment) {
    return checkpoints.values().stream()
        .filter(one -> one.triggered() >= moment && one.job().equals(job))
        .min((a, b) -> Long.compare(a.completed(), b.completed()));
  }

  /** When the job manager first noticed a fault that happened at a moment. */
  synchronized OptionalLong noticedSince(long moment) {
    Long first = noticed.ceiling(moment);
    return first == null ? OptionalLong.empty() : OptionalLong.of(first);
  }

  /** When all tasks first ran again after a moment at which some did not. */
  synchronized OptionalLong runningSince(long moment) {
    Long first = running.ceiling(moment);
    return first == null ? OptionalLong.empty() : OptionalLong.of(first);
  }

  /** How long a reader was without a newer version of a model, at most, in ms. */
  long longestGap(String model, long from, long to) {
    long last = from;
    long longest = 0;
    for (Published one : versions(model)) {
      if (one.seen() <= from) {
        last = one.seen();
      } else if (one.seen() <= to) {
        longest = Math.max(longest, one.seen() - last);
        last = one.seen();
      }
    }
    return Math.max(longest, to - last);
  }

  /** Fails if one of the watchers has. */
  void check() {
    failures.forEach(
        failure -> {
          throw new AssertionError("a watcher ended", failure);
        });
  }

  private void poll() {
    while (!closed) {
      String watched = job;
      if (watched != null) {
        flink.get("/jobs/" + watched).ifPresent(this::note);
        flink
            .get("/jobs/" + watched + "/checkpoints")
            .ifPresent(told -> note(watched, told.at("/latest/completed")));
      }
      pause();
    }
  }

  private synchronized void note(JsonNode told) {
    NOTICED.stream()
        .mapToLong(state -> told.path("timestamps").path(state).asLong())
        .filter(time -> time > 0)
        .forEach(noticed::add);
    boolean all = !told.path("vertices").isEmpty();
    for (JsonNode vertex : told.path("vertices")) {
      all &= vertex.at("/tasks/RUNNING").asInt() == vertex.path("parallelism").asInt();
    }
    if (all && !allRun) {
      running.add(System.currentTimeMillis());
    }
    allRun = all;
  }

  private void note(String watched, JsonNode completed) {
    if (completed.isObject()) {
      long id = completed.path("id").asLong();
      checkpoints.putIfAbsent(
          watched + "/" + id,
          new Checkpoint(
              watched,
              id,
              completed.path("trigger_timestamp").asLong(),
              completed.path("latest_ack_timestamp").asLong()));
    }
  }

  private void read(Pipeline pipeline, String model) {
    try (ModelTopic topic = new ModelTopic(pipeline, model)) {
      while (!closed) {
        for (ModelRecord record : topic.poll(Duration.ofMillis(200))) {
          if (record.index() == ModelRecord.MANIFEST && record.value() != null) {
            versions
                .get(model)
                .add(new Published(Manifest.fromJson(record.value()), System.currentTimeMillis()));
          }
        }
      }
    } catch (Exception e) {
      throw new IllegalStateException(model, e);
    }
  }

  private static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(200);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() throws InterruptedException {
    closed = true;
    for (Thread thread : threads) {
      thread.join(TimeUnit.SECONDS.toMillis(20));
    }
  }
}
