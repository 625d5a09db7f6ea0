package dev.freshet.local.commands;

import dev.freshet.core.publishing.Manifest;
import dev.freshet.replica.RefusalReason;
import dev.freshet.replica.ReplicaListener;
import dev.freshet.replica.Waiting;
import java.io.PrintWriter;
import java.time.LocalTime;
import java.time.temporal.ChronoUnit;
import java.util.EnumSet;
import java.util.Set;

/** Says on the screen what a replica waits for and why versions are refused, each once. */
final class ServeConsole implements ReplicaListener {

  private final PrintWriter out;
  private final Set<RefusalReason> told = EnumSet.noneOf(RefusalReason.class);
  private Waiting waiting;
  private String version;
  private boolean ready;
  private boolean interrupted;

  ServeConsole(PrintWriter out) {
    this.out = out;
  }

  @Override
  public synchronized void waiting(Waiting what, String sentence) {
    if (what == waiting) {
      return;
    }
    waiting = what;
    if (what == Waiting.NOTHING) {
      // Reading once more what is there, for a pin or its end, is no interruption.
      if (!ready || interrupted) {
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
    out.printf("%s %s%n", LocalTime.now().truncatedTo(ChronoUnit.SECONDS), sentence);
    out.flush();
  }
}
