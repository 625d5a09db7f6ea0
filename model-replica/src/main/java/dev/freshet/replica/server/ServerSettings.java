package dev.freshet.replica.server;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.replica.ReplicaSettings;
import java.time.Duration;

/**
 * Where a scoring server listens and what it bears.
 *
 * @param host address to listen on
 * @param port 0 for any free one
 * @param largestBody bytes of a request beyond which it is refused with 413
 * @param largestBatch impressions of a request beyond which it is refused with 400
 * @param concurrency requests that are worked on at a time
 * @param queue requests that wait for their turn; what is more is refused with 503
 * @param timeout for sending a request, and for a connection on which nothing happens
 * @param token what calls that change something must bring as a bearer token; null for none
 * @param replica how versions are kept
 */
public record ServerSettings(
    String host,
    int port,
    long largestBody,
    int largestBatch,
    int concurrency,
    int queue,
    Duration timeout,
    String token,
    ReplicaSettings replica) {

  public ServerSettings {
    check(port >= 0 && port < 1 << 16, "port", port, "0 to 65535");
    check(largestBody > 0, "max-body", largestBody, "above 0");
    check(largestBatch > 0, "max-batch", largestBatch, "above 0");
    check(concurrency > 0, "concurrency", concurrency, "above 0");
    check(queue >= 0, "queue", queue, "0 or more");
    check(!timeout.isZero() && !timeout.isNegative(), "timeout", timeout, "above 0");
    check(token == null || token.length() >= 8, "token", "***", "8 characters or more");
  }
}
