package dev.freshet.benchmarks;

import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.publishing.ModelRecord;
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
 * takes a version of 10,240 examples every second, now and then a base. First with memory to spare,
 * which tells how much it needs when nothing happens; then with a heap of 1.3 times that; then with
 * its rows on disk. Times count from when a batch was due.
 */
public final class SwapMemory {

  private static final int SWAPS = 20;
  private static final int BATCH = 32;
  private static final int WARM_UP = 1000;
  private static final long PHASE_SECONDS = SWAPS;

  private SwapMemory() {}

  /**
   * @param args a base every so many versions; the publishing default of 20 without
   */
  public static void main(String[] args) throws Exception {
    if (args.length > 1) {
      ReplicaSettings settings = new ReplicaSettings(Path.of(args[1]), Long.parseLong(args[2]));
      replica(MillionRows.pipeline(SWAPS).withBootstrap(args[0]), settings);
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
      List<List<ModelRecord>> versions = new ArrayList<>();
      for (int i = 0; i < 3 * SWAPS; i++) {
        trainer.learn();
        versions.add(trainer.version());
      }
      Iterator<List<ModelRecord>> next = versions.iterator();
      Runnable publish = () -> trainer.publish(next.next());
      long live = child(broker, publish, "-Xmx2g", "0");
      long tight = Math.round(1.3 * live);
      System.out.printf("heap when nothing happens: %d MB; now with 1.3 times that%n", live);
      child(broker, publish, "-Xmx" + tight + "m", "0");
      System.out.println("rows on disk, a cache of 16 MB:");
      child(broker, publish, "-Xmx" + tight + "m", Long.toString(16 << 20));
    }
    System.exit(0);
  }

  /** Runs a replica and publishes when it asks for it; its live heap in MB. */
  private static long child(EmbeddedBroker broker, Runnable publish, String heap, String rowCache)
      throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                heap,
                "-XX:+UseG1GC",
                "-Dai.djl.offline=true",
                "-DOPT_OUT_TRACKING=true",
                "-Dai.djl.pytorch.num_threads=1",
                "-cp",
                System.getProperty("java.class.path"),
                SwapMemory.class.getName(),
                broker.bootstrap(),
                Files.createTempDirectory("swap-replica").toString(),
                rowCache)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    long live = 0;
    System.out.println(heap);
    try (BufferedReader lines =
            new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        PrintStream answers =
            new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.equals("publish")) {
          publish.run();
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

  private static void replica(Pipeline pipeline, ReplicaSettings settings) throws Exception {
    int perSecond = settings.rowCache() == 0 ? 200 : 50;
    long start = System.nanoTime();
    BufferedReader answers =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (ModelReplica replica = ModelReplica.follow(pipeline, "main", settings)) {
      replica.awaitVersion(Duration.ofMinutes(2));
      for (int i = 0; i < WARM_UP; i++) {
        replica.predict(impressions(new SplittableRandom(i)));
      }
      System.out.printf("first version after %.1f s%n", (System.nanoTime() - start) / 1e9);
      System.gc();
      System.out.println("live " + (used() >> 20));
      long still = phase("nothing happens", replica, perSecond, null);
      long swaps = phase(SWAPS + " versions", replica, perSecond, answers);
      System.out.printf("memory while swapping / still: %.2f%n", swaps / (double) still);
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

  /** Predicts for a while, and takes bases if there is somebody to publish; peak resident MB. */
  private static long phase(
      String name, ModelReplica replica, int perSecond, BufferedReader answers) throws Exception {
    SplittableRandom random = new SplittableRandom(7);
    List<Long> times = new ArrayList<>();
    long taken = replica.swaps();
    long wanted = answers == null ? 0 : SWAPS;
    long peak = 0;
    if (answers != null) {
      Thread asking = new Thread(() -> ask(answers), "asking");
      asking.setDaemon(true);
      asking.start();
    }
    long due = System.nanoTime();
    long end = System.nanoTime() + Duration.ofSeconds(PHASE_SECONDS).toNanos();
    while (System.nanoTime() < end || replica.swaps() - taken < wanted) {
      List<Impression> batch = impressions(random);
      LockSupport.parkNanos(due - System.nanoTime());
      long start = Math.min(due, System.nanoTime());
      due += TimeUnit.SECONDS.toNanos(1) / perSecond;
      replica.predict(batch);
      times.add(System.nanoTime() - start);
      if (times.size() % 10 == 0) {
        peak = Math.max(peak, resident("RssAnon"));
      }
    }
    long[] sorted = times.stream().mapToLong(Long::longValue).toArray();
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

  /** Has a version published every second. */
  private static void ask(BufferedReader answers) {
    try {
      for (int asked = 0; asked < SWAPS; asked++) {
        Thread.sleep(1000);
        System.out.println("publish");
        answers.readLine();
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
