package dev.freshet.benchmarks.serving;

import dev.freshet.benchmarks.MillionRows;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/** Sends one server batches of one size, each when the last one is answered. */
final class ScoringClient {

  private static final int BODIES = 64;
  private static final int OK = 200;

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final List<HttpRequest> requests = new ArrayList<>();

  ScoringClient(int port, int batch) {
    URI uri = URI.create("http://127.0.0.1:" + port + "/v1/score");
    SplittableRandom random = new SplittableRandom(batch);
    for (int i = 0; i < BODIES; i++) {
      requests.add(
          HttpRequest.newBuilder(uri).POST(BodyPublishers.ofString(body(random, batch))).build());
    }
  }

  private static String body(SplittableRandom random, int batch) {
    StringBuilder body = new StringBuilder("{\"impressions\":[");
    for (int i = 0; i < batch; i++) {
      body.append(i == 0 ? "" : ",").append("{\"features\":{");
      String[] values = MillionRows.values(random);
      for (int field = 0; field < values.length; field++) {
        body.append(field == 0 ? "" : ",").append("\"f").append(field).append("\":\"");
        body.append(values[field]).append('"');
      }
      body.append("}}");
    }
    return body.append("]}").toString();
  }

  /**
   * Milliseconds of answers.
   *
   * @param perSecond answers
   * @param most the longest
   */
  record Load(double perSecond, double p50, double p99, double most) {}

  /**
   * Asks for so long.
   *
   * @throws IllegalStateException if a request fails
   */
  Load ask(double seconds) throws IOException, InterruptedException {
    long[] times = new long[1 << 12];
    int count = 0;
    long begin = System.nanoTime();
    long end = begin + (long) (seconds * TimeUnit.SECONDS.toNanos(1));
    while (System.nanoTime() < end) {
      if (count == times.length) {
        times = Arrays.copyOf(times, 2 * count);
      }
      long start = System.nanoTime();
      send(count);
      times[count++] = System.nanoTime() - start;
    }
    double took = (System.nanoTime() - begin) / 1e9;
    long[] sorted = Arrays.copyOf(times, count);
    Arrays.sort(sorted);
    return new Load(
        count / took,
        sorted[count / 2] / 1e6,
        sorted[count * 99 / 100] / 1e6,
        sorted[count - 1] / 1e6);
  }

  /** The answer to the first batch. */
  byte[] first() throws IOException, InterruptedException {
    return send(0);
  }

  private byte[] send(int number) throws IOException, InterruptedException {
    HttpResponse<byte[]> answer =
        client.send(requests.get(number % BODIES), BodyHandlers.ofByteArray());
    if (answer.statusCode() != OK) {
      throw new IllegalStateException(
          "answered with " + answer.statusCode() + ": " + new String(answer.body()));
    }
    return answer.body();
  }
}
