package dev.freshet.replica.server;

import static dev.freshet.core.settings.InvalidValueException.check;

import java.time.Duration;

/**
 * When a server that has a version says that it is ready.
 *
 * @param maxLag since the topic was last known to be read to its end; a broker that does not answer
 *     counts like one from which not all has been read
 * @param maxAge since the version in use was published, unless it is pinned
 * @param preferStale ready even beyond both
 */
public record Readiness(Duration maxLag, Duration maxAge, boolean preferStale) {

  /** A broker may be away for half a minute, a version is good for an hour. */
  public static final Readiness DEFAULT =
      new Readiness(Duration.ofSeconds(30), Duration.ofHours(1), false);

  public Readiness {
    check(!maxLag.isZero() && !maxLag.isNegative(), "max-lag", maxLag, "above 0");
    check(!maxAge.isZero() && !maxAge.isNegative(), "max-age", maxAge, "above 0");
  }
}
