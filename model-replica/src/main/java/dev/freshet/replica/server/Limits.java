package dev.freshet.replica.server;

import static dev.freshet.core.settings.InvalidValueException.check;

import java.time.Duration;

/**
 * Limits of a scoring server.
 *
 * @param largestBody bytes of a request, and of what it unpacks to, beyond which it is refused with
 *     413
 * @param largestBatch impressions of a request beyond which it is refused with 400
 * @param connections open at a time; beyond it the one that has kept the server waiting longest is
 *     closed for the newest, so it is more than can be at work and wait
 * @param concurrency requests that are worked on at a time
 * @param queue requests that have arrived whole and wait for their turn; what is more is refused
 *     with 503
 * @param timeout for a request from its first byte to the last one of its answer, and for a
 *     connection on which nothing happens
 */
public record Limits(
    int largestBody,
    int largestBatch,
    int connections,
    int concurrency,
    int queue,
    Duration timeout) {

  public Limits {
    check(largestBody > 0, "max-body", largestBody, "above 0");
    check(largestBatch > 0, "max-batch", largestBatch, "above 0");
    check(concurrency > 0, "concurrency", concurrency, "above 0");
    check(queue >= 0, "queue", queue, "0 or more");
    check(
        connections > (long) concurrency + queue,
        "max-connections",
        connections,
        "above concurrency and queue together");
    check(!timeout.isZero() && !timeout.isNegative(), "timeout", timeout, "above 0");
  }

  /** Requests that have arrived whole and are not answered. */
  int atWork() {
    return concurrency + queue;
  }
}
