package dev.freshet.benchmarks;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** The processes of peers, which end with their input. */
public final class PeerProcess {

  private static final int SECONDS = 10;

  private PeerProcess() {}

  /** Ends its input, and the process itself if it does not end soon. */
  public static void end(Process process) throws IOException {
    process.getOutputStream().close();
    try {
      if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
