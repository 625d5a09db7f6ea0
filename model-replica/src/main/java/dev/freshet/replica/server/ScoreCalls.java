package dev.freshet.replica.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.core.events.Impression;
import dev.freshet.replica.ModelReplica;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The calls that score: so many at a time, so many that wait for their turn, and the rest refused
 * at once.
 */
final class ScoreCalls implements AutoCloseable {

  private static final long GOODBYE_SECONDS = 5;

  /**
   * Bytes of a request that is scored in about the time that it takes to hand it to another thread
   * and its answer back: while nobody else is at work, its connection's own thread does it.
   */
  private static final int SMALL = 8 << 10;

  private final String model;
  private final ModelReplica replica;
  private final ScoreRequests requests;
  private final ServerMetrics metrics;
  private final Limits limits;
  private final ExecutorService workers;
  private final Semaphore places;

  ScoreCalls(
      String model,
      ModelReplica replica,
      ScoreRequests requests,
      ServerMetrics metrics,
      Limits limits) {
    this.model = model;
    this.replica = replica;
    this.requests = requests;
    this.metrics = metrics;
    this.limits = limits;
    places = new Semaphore(limits.atWork());
    AtomicInteger number = new AtomicInteger();
    workers =
        Executors.newFixedThreadPool(
            limits.concurrency(),
            task -> {
              Thread thread = new Thread(task, "scoring-" + number.getAndIncrement());
              thread.setDaemon(true);
              return thread;
            });
  }

  void score(Call call) throws Refused {
    if (!places.tryAcquire()) {
      throw new Refused(
          Refused.UNAVAILABLE,
          "busy: "
              + limits.concurrency()
              + " requests are at work and "
              + limits.queue()
              + " wait");
    }
    if (call.size() <= SMALL && places.availablePermits() == limits.atWork() - 1) {
      work(call);
    } else {
      call.later(() -> workers.execute(() -> work(call)));
    }
  }

  private void work(Call call) {
    try {
      call.answer(() -> scores(call));
    } finally {
      places.release();
    }
  }

  private Object scores(Call call) throws IOException, Refused {
    long start = System.nanoTime();
    JsonNode request = ScoreRequests.object(call.body());
    List<Impression> impressions = requests.impressions(request);
    if (replica.manifest().isEmpty()) {
      throw new Refused(Refused.UNAVAILABLE, "model " + model + " has no version yet");
    }
    byte[] answer = requests.answer(model, request, impressions, replica.predict(impressions));
    metrics.scored(System.nanoTime() - start);
    return answer;
  }

  /** Finishes what is at work, if that is soon. */
  @Override
  public void close() {
    workers.shutdown();
    try {
      workers.awaitTermination(GOODBYE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    workers.shutdownNow();
  }
}
