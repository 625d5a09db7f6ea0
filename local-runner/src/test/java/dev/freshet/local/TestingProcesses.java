package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The command line as users run it, in processes of its own; output and logs in one folder. */
final class TestingProcesses {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;

  TestingProcesses(Path folder) {
    this.folder = folder;
  }

  /** Starts a command; {@code name} names its files. */
  Process start(String name, String... args) throws IOException {
    return start(name, List.of(), Map.of(), args);
  }

  /** Starts a command as a terminal does: leads a process group, and no signal is ignored. */
  Process startGroup(String name, Map<String, String> environment, String... args)
      throws IOException {
    return start(name, List.of("setsid", "env", "--default-signal"), environment, args);
  }

  private Process start(
      String name, List<String> before, Map<String, String> environment, String... args)
      throws IOException {
    List<String> command = new ArrayList<>(before);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-Xmx1500m",
            // None lives long enough for what more would bring; several start at once on two cores.
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseParallelGC",
            "--add-opens",
            "java.base/java.util=ALL-UNNAMED",
            "-Dfreshet.home=" + Path.of("..").toAbsolutePath().normalize(),
            "-Dfreshet.log=" + log(name),
            "-Dai.djl.offline=true",
            "-DOPT_OUT_TRACKING=true",
            "-Dai.djl.pytorch.num_threads=1",
            "-cp",
            System.getProperty("java.class.path"),
            Freshet.class.getName()));
    command.addAll(List.of(args));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output(name).toFile())
            .redirectInput(new File("/dev/null"));
    builder.environment().putAll(environment);
    return builder.start();
  }

  /** Runs a command to its end, which must be a good one, and returns what it printed. */
  List<String> run(String name, String... args) throws Exception {
    return runTo(0, name, args);
  }

  /** As {@link #run}, to an end with an exit code. */
  List<String> runTo(int exitCode, String name, String... args) throws Exception {
    Process process = start(name, args);
    boolean ended = process.waitFor(5, TimeUnit.MINUTES);
    if (!ended) {
      process.destroyForcibly();
    }
    assertThat(ended && process.exitValue() == exitCode).as(said(name)).isTrue();
    return Files.readAllLines(output(name));
  }

  /** What a command printed and logged, for messages. */
  String said(String name) throws IOException {
    List<String> lines = new ArrayList<>(Files.readAllLines(output(name)));
    if (Files.exists(log(name))) {
      List<String> logged = Files.readAllLines(log(name));
      lines.addAll(logged.subList(Math.max(0, logged.size() - 60), logged.size()));
    }
    return String.join("\n", lines);
  }

  Path output(String name) {
    return folder.resolve(name + ".out");
  }

  private Path log(String name) {
    return folder.resolve(name + ".log");
  }

  /** The report that a command prints last. */
  static JsonNode lastLine(List<String> lines) throws IOException {
    return JSON.readTree(lines.get(lines.size() - 1));
  }

  /** Completed checkpoints in a run's data folder, by their number. */
  static List<Path> checkpoints(Path data) {
    Path root = data.resolve("checkpoints");
    if (!Files.exists(root)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(root, 3)) {
      return files.filter(f -> f.getFileName().toString().equals("_metadata")).toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of(); // Files come and go while we look.
    }
  }

  interface Condition {
    boolean holds() throws Exception;
  }

  static void await(Condition condition) throws Exception {
    while (!condition.holds()) {
      TimeUnit.MILLISECONDS.sleep(100);
    }
  }
}
