package dev.freshet.benchmarks;

import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.broker.Topics;
import dev.freshet.replica.ModelReplica;
import dev.freshet.replica.ReplicaSettings;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Memory and times of a replica of a million rows of 16 floats, in a process of its own, while it
 * takes a version of 10,240 examples every second, now and then a base: with memory to spare, which
 * tells how much it needs when nothing happens; with a heap of 1.3 times that; with a folder that
 * it files versions in; with its rows on disk.
 *
 * <p>Broker and publisher have the same cores, so there are two floors: nothing happens, and the
 * same versions are published to a topic that nobody reads. Times count from when a batch was due,
 * and after some versions that do not count, so that what is compiled is compiled.
 */
public final class SwapMemory {

  private static final int SWAPS = 20;
  private static final int BATCH = 32;
  private static final int WARM_UP = 5;

  /** Settings of the replica; the arguments of its process. */
  private record Kind(String name, String heap, boolean filed, long rowCache) {}

  /** A phase; a line that the replica's process prints every second. */
  private enum Publish {
    NOTHING,
    ELSEWHERE,
    VERSION
  }

  private SwapMemory() {}

  /**
   * @param args a base every so many versions; the publishing default of 20 without
   */
  public static void main(String[] args) throws Exception {
    if (args.length > 1) {
      ProcessHandle.current().parent().ifPresent(p -> p.onExit().thenRun(() -> System.exit(1)));
      Path folder = args[1].isEmpty() ? null : Path.of(args[1]);
      replica(
          MillionRows.pipeline(SWAPS).withBootstrap(args[0]),
          new ReplicaSettings(folder, Long.parseLong(args[2])));
      System.exit(0);
    }
    int baseEvery = args.length == 0 ? SWAPS : Integer.parseInt(args[0]);
    System.out.printf("a base every %d versions%n", baseEvery);
    try (EmbeddedBroker broker = EmbeddedBroker.start(Files.createTempDirectory("swap"))) {
      Pipeline pipeline = MillionRows.pipeline(baseEvery).withBootstrap(broker.bootstrap());
      try (Topics topics = new Topics(pipeline)) {
        topics.create(1);
      }
      MillionRows trainer = new MillionRows(pipeline);
      trainer.publish(trainer.version());
      long live = child(broker, trainer, new Kind("rows in memory", "-Xmx2g", false, 0));
      String tight = "-Xmx" + Math.round(1.3 * live) + "m";
      System.out.printf("heap when nothing happens: %d MB; now with 1.3 times that%n", live);
      child(broker, trainer, new Kind("rows in memory", tight, false, 0));
      child(broker, trainer, new Kind("rows in memory, versions filed", tight, true, 0));
      child(broker, trainer, new Kind("rows on disk, a cache of 16 MB", tight, true, 16 << 20));
    }
    System.exit(0);
  }

  /** Runs a replica and publishes when it asks for it; its live heap in MB. */
  private static long child(EmbeddedBroker broker, MillionRows trainer, Kind kind)
      throws Exception {
    List<List<ModelRecord>> versions = versions(trainer, WARM_UP + SWAPS);
    Iterator<List<ModelRecord>> next = versions.iterator();
    Iterator<List<ModelRecord>> elsewhere = versions.listIterator(WARM_UP);
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                kind.heap,
                "-XX:+UseG1GC",
                "-Dai.djl.offline=true",
                "-DOPT_OUT_TRACKING=true",
                "-Dai.djl.pytorch.num_threads=1",
                "-cp",
                System.getProperty("java.class.path"),
                SwapMemory.class.getName(),
                broker.bootstrap(),
                kind.filed ? Files.createTempDirectory("swap-replica").toString() : "",
                Long.toString(kind.rowCache))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    long live = 0;
    System.out.println(kind.name + ", " + kind.heap);
    try (BufferedReader lines =
            new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        PrintStream answers =
            new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.equals(Publish.VERSION.name())) {
          trainer.publish(next.next());
          answers.println("published");
        } else if (line.equals(Publish.ELSEWHERE.name())) {
          trainer.publishElsewhere(elsewhere.next());
          answers.println("published");
        } else if (line.startsWith("live ")) {
          live = Long.parseLong(line.substring("live ".length()));
        } else {
          System.out.println("  " + line);
        }
      }
    }
    System.out.println("  exit code " + process.waitFor());
    return live;
  }

  private static List<List<ModelRecord>> versions(MillionRows trainer, int count) {
    List<List<ModelRecord>> versions = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      trainer.learn();
      versions.add(trainer.version());
    }
    return versions;
  }

  private static void replica(Pipeline pipeline, ReplicaSettings settings) throws Exception {
    int perSecond = settings.rowCache() == 0 ? 200 : 50;
    long start = System.nanoTime();
    BufferedReader answers =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (ModelReplica replica = ModelReplica.follow(pipeline, "main", settings)) {
      replica.awaitVersion(Duration.ofMinutes(2));
      System.out.printf("first version after %.1f s%n", (System.nanoTime() - start) / 1e9);
      phase("warm-up", replica, perSecond, answers, Publish.VERSION, WARM_UP);
      System.gc();
      System.out.println("live " + (used() >> 20));
      long still = phase("nothing happens", replica, perSecond, answers, Publish.NOTHING, SWAPS);
      phase("versions of others", replica, perSecond, answers, Publish.ELSEWHERE, SWAPS);
      long swaps = phase("versions taken", replica, perSecond, answers, Publish.VERSION, SWAPS);
      System.out.printf("memory while swapping / still: %.2f%n", swaps / (double) still);
    }
    if (settings.folder() == null) {
      return;
    }
    start = System.nanoTime();
    try (ModelReplica replica = ModelReplica.follow(pipeline, "main", settings)) {
      while (replica.manifest().isEmpty()) {
        Thread.sleep(1);
      }
      replica.predict(impressions(new SplittableRandom(3)));
      System.out.printf(
          "started again from its folder: first prediction after %.2f s%n",
          (System.nanoTime() - start) / 1e9);
    }
  }

  private static long used() {
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  /** Predicts until all was published and, if it is for it, taken; peak resident MB. */
  private static long phase(
      String name,
      ModelReplica replica,
      int perSecond,
      BufferedReader answers,
      Publish what,
      int times)
      throws Exception {
    SplittableRandom random = new SplittableRandom(7);
    List<Long> took = new ArrayList<>();
    long taken = replica.swaps() + (what == Publish.VERSION ? times : 0);
    long peak = 0;
    Thread asking = new Thread(() -> ask(answers, what, times), "asking");
    asking.setDaemon(true);
    asking.start();
    long due = System.nanoTime();
    while (asking.isAlive() || replica.swaps() < taken) {
      List<Impression> batch = impressions(random);
      LockSupport.parkNanos(due - System.nanoTime());
      long start = Math.min(due, System.nanoTime());
      due += TimeUnit.SECONDS.toNanos(1) / perSecond;
      replica.predict(batch);
      took.add(System.nanoTime() - start);
      if (took.size() % 10 == 0) {
        peak = Math.max(peak, resident("RssAnon"));
      }
    }
    long[] sorted = took.stream().mapToLong(Long::longValue).toArray();
    Arrays.sort(sorted);
    System.out.printf(
        "%s: peak %d MB of its own, %d MB mapped; %d batches of %d a second: p50 %.2f ms, p99 %.2f ms, most %.1f ms%n",
        name,
        peak,
        resident("RssFile"),
        perSecond,
        BATCH,
        sorted[sorted.length / 2] / 1e6,
        sorted[sorted.length * 99 / 100] / 1e6,
        sorted[sorted.length - 1] / 1e6);
    return peak;
  }

  /** Has something published every second. */
  private static void ask(BufferedReader answers, Publish what, int times) {
    try {
      for (int asked = 0; asked < times; asked++) {
        Thread.sleep(1000);
        if (what != Publish.NOTHING) {
          System.out.println(what);
          answers.readLine();
        }
      }
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<Impression> impressions(SplittableRandom random) {
    List<Impression> batch = new ArrayList<>();
    for (int i = 0; i < BATCH; i++) {
      String[] values = MillionRows.values(random);
      String[][] categories =
          Arrays.stream(values).map(value -> new String[] {value}).toArray(String[][]::new);
      batch.add(new Impression("x", 0, new RawFeatures(categories, new double[0]), null));
    }
    return batch;
  }

  /** A line of the process's memory in MB, as Linux tells it. */
  private static long resident(String line) throws IOException {
    for (String text : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (text.startsWith(line + ":")) {
        return Long.parseLong(text.replaceAll("\\D", "")) >> 10;
      }
    }
    throw new IOException("no " + line + " in /proc/self/status");
  }
}
