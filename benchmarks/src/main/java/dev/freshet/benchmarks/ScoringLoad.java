package dev.freshet.benchmarks;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.broker.Topics;
import dev.freshet.replica.ReplicaSettings;
import dev.freshet.replica.server.Access;
import dev.freshet.replica.server.Limits;
import dev.freshet.replica.server.Readiness;
import dev.freshet.replica.server.ScoringServer;
import dev.freshet.replica.server.ServerSettings;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/**
 * Load on the scoring server, client, server, broker and trainer on one machine: requests a second
 * and their times at batches of 1, 32 and 256, first with a version that stays (the floor), then
 * with a delta of 10,240 examples every second and, in between, a base of a million rows.
 */
public final class ScoringLoad {

  private static final int SECONDS = 12;

  private final Pipeline pipeline;
  private final MillionRows trainer;
  private volatile boolean publishing;

  private ScoringLoad(Pipeline pipeline) {
    this.pipeline = pipeline;
    trainer = new MillionRows(pipeline);
  }

  public static void main(String[] args) throws Exception {
    try (EmbeddedBroker broker = EmbeddedBroker.start(Files.createTempDirectory("load"))) {
      Pipeline pipeline = MillionRows.pipeline(10).withBootstrap(broker.bootstrap());
      try (Topics topics = new Topics(pipeline)) {
        topics.create(1);
      }
      new ScoringLoad(pipeline).run();
    }
    System.exit(0);
  }

  private void run() throws Exception {
    ServerSettings settings =
        new ServerSettings(
            "127.0.0.1",
            0,
            new Limits(1 << 20, 1024, 1024, 2, 100, Duration.ofSeconds(30)),
            Readiness.DEFAULT,
            Access.OPEN,
            null,
            ReplicaSettings.DEFAULT);
    try (ScoringServer server = ScoringServer.start(pipeline, "main", settings)) {
      trainer.publish(trainer.version());
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
          trainer.learn();
          trainer.publish(trainer.version());
        }
        long left = TimeUnit.SECONDS.toNanos(1) - (System.nanoTime() - start);
        TimeUnit.NANOSECONDS.sleep(Math.max(0, left));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
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
        String[] of = MillionRows.values(values);
        for (int field = 0; field < of.length; field++) {
          body.append(field == 0 ? "" : ",").append("\"f").append(field).append("\":\"");
          body.append(of[field]).append('"');
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
