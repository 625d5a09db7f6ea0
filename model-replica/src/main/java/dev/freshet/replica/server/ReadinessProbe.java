package dev.freshet.replica.server;

import dev.freshet.core.snapshot.Manifest;
import dev.freshet.replica.ModelReplica;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** Tells if a server should be asked, and in words why not. */
final class ReadinessProbe {

  private final ModelReplica replica;
  private final GateWatch gate;
  private final Readiness readiness;

  ReadinessProbe(ModelReplica replica, GateWatch gate, Readiness readiness) {
    this.replica = replica;
    this.gate = gate;
    this.readiness = readiness;
  }

  /** The answer of a server that is ready. */
  Object ready() throws Refused {
    Optional<String> notReady = notReady();
    if (notReady.isPresent()) {
      throw new Refused(Refused.UNAVAILABLE, notReady.get());
    }
    return Map.of(
        "status", "ready", "version", replica.manifest().map(Manifest::version).orElse(""));
  }

  /** Why the server is not ready; empty if it is. */
  Optional<String> notReady() {
    if (replica.failure().isPresent()) {
      return Optional.of("following ended: " + replica.failure().get().getMessage());
    }
    String waiting = replica.state().detail();
    Optional<Manifest> manifest = replica.manifest();
    if (manifest.isEmpty()) {
      return Optional.of("no version has arrived yet; " + waiting + heldBackToo());
    }
    String version = "version " + manifest.get().version();
    double lag = replica.lagSeconds();
    if (readiness.preferStale()) {
      return Optional.empty();
    }
    if (Double.isNaN(lag)) {
      return Optional.of(version + "; the topic is still being read; " + waiting);
    }
    if (lag > seconds(readiness.maxLag())) {
      return Optional.of(
          "%s; the topic was last read to its end %.0f s ago; %s".formatted(version, lag, waiting));
    }
    double age = replica.stalenessSeconds();
    if (replica.pinned().isEmpty() && age > seconds(readiness.maxAge())) {
      return Optional.of(
          "%s was published %.0f s ago; allowed: %.0f s%s"
              .formatted(version, age, seconds(readiness.maxAge()), heldBackToo()));
    }
    return Optional.empty();
  }

  private String heldBackToo() {
    return gate.heldBack().map(held -> "; " + held).orElse("");
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / 1000.0;
  }
}
