package dev.freshet.local.commands;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.local.run.LocalRun;
import dev.freshet.local.run.RunFolder;
import dev.freshet.local.run.Verdict;
import dev.freshet.local.screen.Terminal;
import dev.freshet.local.signals.EndRequest;
import dev.freshet.server.options.DurationConverter;
import dev.freshet.server.options.PathOption;
import dev.freshet.server.options.Usage;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options that demo, replay and run share. */
final class RunOptions {

  private static final int LAST_PORT = 65_535;
  private static final Duration CHECKPOINTS = Duration.ofSeconds(2);
  private static final Duration LASTING_CHECKPOINTS = Duration.ofSeconds(10);

  @Option(
      names = "--json",
      description = "Print progress to standard error, and all figures as one JSON object last.")
  boolean json;

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      description =
          "Keep topics and checkpoints here; started again with it, the run goes on where it"
              + " stopped, however it was stopped. Default: a temporary folder, but run has none.")
  @Nullable Path dataDir;

  @Option(
      names = "--parallelism",
      paramLabel = "N",
      defaultValue = "1",
      description = "Parallel subtasks of everything but training. Default: ${DEFAULT-VALUE}.")
  int parallelism;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      description = "Time between checkpoints. Default: 2s, and 10s for run.")
  @Nullable Duration checkpointEvery;

  @Option(
      names = "--again",
      description = "Throw away what --data-dir holds of an earlier run, and begin anew.")
  boolean again;

  @Option(
      names = "--min-accepted",
      paramLabel = "SHARE",
      defaultValue = "0.5",
      description =
          "Share of the impressions, and of the feedback, that has to be accepted; with less the exit"
              + " code is 3. Default: ${DEFAULT-VALUE}.")
  double minAccepted;

  @Option(
      names = "--metrics-port",
      paramLabel = "PORT",
      description =
          "Tell Prometheus the job's metrics, at /metrics of this port; anyone who reaches the port can"
              + " read them. Default: none are told.")
  @Nullable Integer metricsPort;

  /** Work that is done in a folder and gives its final figures. */
  interface Work {
    ObjectNode in(Path folder, EndRequest end) throws Exception;
  }

  /**
   * Does the work in its folder, until Ctrl-C, and tells the figures and what is wrong with them.
   *
   * @param late true if impressions may be late
   * @return the exit code
   */
  int run(PrintStream progress, Pipeline pipeline, boolean late, Work work) throws Exception {
    try (EndRequest end = EndRequest.listen(progress);
        RunFolder folder = folder()) {
      end.atOnce(folder::abandon);
      ObjectNode report;
      try {
        report = work.in(folder.path(), end);
      } catch (InterruptedException | InterruptException e) {
        if (!end.made()) {
          throw e;
        }
        end.interruptsMe(false);
        report = JsonNodeFactory.instance.objectNode().put("ended", "interrupted");
      }
      var problems = Verdict.of(report, pipeline, new Verdict.Tolerance(minAccepted, late));
      problems.forEach(problem -> System.err.println("Problem: " + problem.text()));
      if (json) {
        System.out.println(report);
      }
      return end.made() ? end.exitCode() : problems.isEmpty() ? 0 : Verdict.CODE;
    }
  }

  /** Where progress is told. */
  PrintStream progress() {
    return json ? System.err : Terminal.of(System.out);
  }

  /** What can be done with what was learnt on a broker of the run's own. */
  void tellNext(PrintStream progress) {
    if (!json) {
      progress.println(
          dataDir == null
              ? "What was learnt goes with this run; --data-dir DIR keeps it"
              : "./freshet broker --data-dir " + dataDir + " serves what was learnt");
    }
  }

  /** Before anything is started. */
  void check() {
    if (!(minAccepted >= 0 && minAccepted <= 1)) {
      throw new Usage("--min-accepted: '" + minAccepted + "'; allowed: 0 to 1");
    }
    if (parallelism < 1) {
      throw new Usage("--parallelism: '" + parallelism + "'; allowed: 1 or more");
    }
    if (metricsPort != null) {
      requireFree(metricsPort);
    }
    if (dataDir == null && again) {
      throw new Usage("--again: without --data-dir there is nothing to throw away");
    }
    if (dataDir != null) {
      PathOption.folder("--data-dir", dataDir);
    }
  }

  // Flink goes on without a reporter that does not start.
  private static void requireFree(int port) {
    if (port < 1 || port > LAST_PORT) {
      throw new Usage("--metrics-port: '" + port + "'; allowed: 1 to " + LAST_PORT);
    }
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(port));
    } catch (IOException e) {
      throw new Usage("--metrics-port: " + port + " cannot be had: " + e.getMessage());
    }
  }

  private RunFolder folder() throws IOException {
    return dataDir == null ? RunFolder.temporary() : RunFolder.kept(dataDir, again);
  }

  LocalRun.Settings settings(Path folder, boolean truthKnown) {
    return settings(folder, truthKnown, false);
  }

  /** Of a run that has no end by itself. */
  LocalRun.Settings lastingSettings(Path folder) {
    return settings(folder, false, true);
  }

  private LocalRun.Settings settings(Path folder, boolean truthKnown, boolean lasting) {
    Duration usual = lasting ? LASTING_CHECKPOINTS : CHECKPOINTS;
    return new LocalRun.Settings(
        folder,
        parallelism,
        checkpointEvery == null ? usual : checkpointEvery,
        truthKnown,
        metricsPort,
        lasting);
  }
}
