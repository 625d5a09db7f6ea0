package dev.freshet.replica.server;

import static java.util.Objects.requireNonNullElse;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.replica.ModelReplica;
import dev.freshet.replica.RefusalReason;
import java.io.IOException;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The calls that tell which version is in use, and that hold one. */
final class ModelCalls {

  private final String model;
  private final ModelReplica replica;
  private final GateWatch gate;
  private final Clock clock;

  ModelCalls(String model, ModelReplica replica, GateWatch gate, Clock clock) {
    this.model = model;
    this.replica = replica;
    this.gate = gate;
    this.clock = clock;
  }

  Object describe() throws IOException {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("model", model);
    Optional<Manifest> manifest = replica.manifest();
    all.put("version", manifest.map(Manifest::version).orElse(null));
    all.put("stalenessSeconds", orNull(replica.stalenessSeconds()));
    all.put("lagSeconds", orNull(replica.lagSeconds()));
    all.put("waitingFor", replica.state().waiting().label());
    all.put("waiting", replica.state().detail());
    all.put("newestEventAgeSeconds", orNull(replica.newestEventAgeSeconds()));
    all.put("pinned", replica.pinned().orElse(null));
    all.put("versionsTaken", replica.swaps());
    Map<String, Long> refused = new LinkedHashMap<>();
    for (RefusalReason reason : RefusalReason.values()) {
      refused.put(reason.label(), replica.refused().getOrDefault(reason, 0L));
    }
    all.put("versionsRefused", refused);
    all.put("heldBack", gate.heldBack().map(this::describe).orElse(null));
    if (manifest.isPresent()) {
      all.put("manifest", ScoreRequests.manifest(manifest.get().toJson()));
    }
    return all;
  }

  private Map<String, Object> describe(HeldBack held) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("versions", held.versions());
    all.put("step", held.step());
    all.put("reason", held.reason());
    all.put("detail", held.detail());
    all.put("toldSecondsAgo", (clock.millis() - held.toldAt()) / 1000.0);
    return all;
  }

  private static @Nullable Double orNull(double seconds) {
    return ScoreRequests.finite(seconds);
  }

  void pin(Call call) throws Refused {
    JsonNode version = ScoreRequests.object(call.body()).path("version");
    if (!version.isTextual()) {
      throw new Refused(
          Refused.BAD_REQUEST, "version: '" + version.asText() + "'; allowed: run-step, as text");
    }
    describeOnce(replica.pin(version.asText()), call);
  }

  void unpin(Call call) {
    replica.unpin();
    call.answer(this::describe);
  }

  void rollBack(Call call) throws Refused {
    try {
      describeOnce(replica.rollBack(), call);
    } catch (IllegalStateException e) {
      throw new Refused(Refused.CONFLICT, requireNonNullElse(e.getMessage(), e.toString()));
    }
  }

  /** Answers when a version is held; nothing waits for that but the client. */
  private void describeOnce(CompletableFuture<Manifest> held, Call call) {
    call.later(
        () ->
            held.whenCompleteAsync(
                (manifest, problem) -> {
                  if (problem == null) {
                    call.answer(this::describe);
                  } else {
                    String why = problem.getMessage();
                    call.fail(
                        new Refused(
                            Refused.CONFLICT, why == null ? "another call came after it" : why));
                  }
                },
                call.ioThread()));
  }
}
