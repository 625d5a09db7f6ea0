package dev.freshet.cluster;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A Java process of its own, whose output goes to a file. */
final class TestingProcess implements AutoCloseable {

  private static final int TOLD_LINES = 25;

  private final Path log;
  private final Process process;

  private TestingProcess(Path log, Process process) {
    this.log = log;
    this.process = process;
  }

  /**
   * @param log is appended to, so that a process that takes another's place goes on in its file
   * @param arguments of the JVM, the main class, and its arguments
   */
  static TestingProcess start(Path log, List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(arguments);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .redirectInput(new File("/dev/null"));
    builder.environment().put("DJL_OFFLINE", "true");
    builder.environment().put("OPT_OUT_TRACKING", "true");
    Process process = builder.start();
    // A test that is ended by a signal leaves nothing running.
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    return new TestingProcess(log, process);
  }

  /** As {@code kill -9}. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** The last lines of a process's output, for messages. */
  static String told(Path log) {
    try {
      List<String> lines = Files.readAllLines(log);
      return "--- %s%n%s%n"
          .formatted(
              log.getFileName(),
              String.join(
                  "\n", lines.subList(Math.max(0, lines.size() - TOLD_LINES), lines.size())));
    } catch (IOException e) {
      return "--- " + log.getFileName() + ": " + e + "\n";
    }
  }

  @Override
  public String toString() {
    return told(log);
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
