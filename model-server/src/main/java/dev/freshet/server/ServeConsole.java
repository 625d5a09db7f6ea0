package dev.freshet.server;

import dev.freshet.core.settings.Durations;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.replica.RefusalReason;
import dev.freshet.replica.ReplicaListener;
import dev.freshet.replica.Waiting;
import dev.freshet.replica.server.HeldBack;
import java.io.PrintWriter;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalTime;
import java.time.temporal.ChronoUnit;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Says on the screen what a server waits for, why it is not ready, why versions are refused and
 * what the job holds back, each once.
 */
final class ServeConsole implements ReplicaListener {

  private final PrintWriter out;
  private final Clock clock;
  private final Set<RefusalReason> told = EnumSet.noneOf(RefusalReason.class);
  private @Nullable Waiting waiting;
  private @Nullable String waitsFor;
  private @Nullable String version;
  private boolean ready;
  private boolean interrupted;
  private boolean saidNotReady;
  private @Nullable String heldBack;
  private final Supplier<Optional<String>> notReady;

  /**
   * @param clock what time it is here
   * @param notReady why the server is not ready, if it is not
   */
  ServeConsole(PrintWriter out, Clock clock, Supplier<Optional<String>> notReady) {
    this.out = out;
    this.clock = clock;
    this.notReady = notReady;
  }

  /**
   * To be called now and then.
   *
   * @param age seconds since the version in use was published
   */
  synchronized void look(Optional<HeldBack> held, double age) {
    String reason = held.map(HeldBack::reason).orElse(null);
    if (!Objects.equals(reason, heldBack)) {
      heldBack = reason;
      say(
          held.map(h -> "Held back: " + h + (version == null ? "" : inUse(age)))
              .orElse("The job publishes versions again"));
    }
    if (ready) {
      readiness();
    }
  }

  private String inUse(double age) {
    String written = Durations.written(Duration.ofSeconds(Math.round(age)));
    return "; in use is " + version + ", published " + written + " ago";
  }

  private void readiness() {
    Optional<String> why = notReady.get();
    if (why.isPresent() != saidNotReady) {
      saidNotReady = why.isPresent();
      say(why.map(w -> "Not ready: " + w).orElse("Ready again, version " + version));
    }
  }

  @Override
  public synchronized void waiting(Waiting what, String sentence) {
    // Of a broker the reason may change; what else is waited for says more and more in its
    // sentence.
    boolean news = what == Waiting.BROKER && !sentence.equals(waitsFor);
    if (what == waiting && !news) {
      return;
    }
    waiting = what;
    waitsFor = sentence;
    if (what == Waiting.NOTHING) {
      // Reading once more what is there, for a pin or its end, is no interruption.
      if (!ready && notReady.get().isPresent()) {
        say("Following, version " + version);
        readiness();
      } else if (!ready || interrupted) {
        say((ready ? "Following again, version " : "Ready, version ") + version);
      }
      ready = true;
      interrupted = false;
    } else if (what != Waiting.END) {
      say("Waits: " + sentence);
      interrupted = true;
    }
  }

  @Override
  public void version(Manifest manifest) {
    version(manifest.version());
  }

  synchronized void version(String taken) {
    version = taken;
    told.clear();
  }

  @Override
  public synchronized void refused(RefusalReason reason, String why) {
    // What compaction has left of versions of before is not worth a word.
    boolean past = reason == RefusalReason.BROKEN && waiting == Waiting.END;
    if (!past && told.add(reason)) {
      say("Refused, " + reason.label() + ": " + why);
    }
  }

  private void say(String sentence) {
    out.printf("%s %s%n", LocalTime.now(clock).truncatedTo(ChronoUnit.SECONDS), sentence);
    out.flush();
  }
}
