package dev.freshet.local.commands;

import dev.freshet.local.run.LocalRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** Options that demo and replay share. */
final class RunOptions {

  @Option(
      names = "--json",
      description = "Print progress to standard error, and all figures as one JSON object last.")
  boolean json;

  @Option(
      names = "--data-dir",
      paramLabel = "DIR",
      description =
          "Keep topics and checkpoints here; started again with it, the run goes on where it"
              + " stopped. Default: a temporary folder.")
  Path dataDir;

  @Option(
      names = "--parallelism",
      paramLabel = "N",
      defaultValue = "1",
      description = "Parallel subtasks of everything but training. Default: ${DEFAULT-VALUE}.")
  int parallelism;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "TIME",
      defaultValue = "2s",
      converter = DurationConverter.class,
      description = "Time between checkpoints. Default: ${DEFAULT-VALUE}.")
  Duration checkpointEvery;

  /** A folder for the run, and whether it goes away with it. */
  record Folder(Path path, boolean temporary) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      if (temporary) {
        try (Stream<Path> files = Files.walk(path)) {
          List<Path> all = files.sorted(Comparator.reverseOrder()).toList();
          for (Path file : all) {
            Files.deleteIfExists(file);
          }
        }
      }
    }
  }

  Folder folder() throws IOException {
    if (parallelism < 1) {
      throw new Usage("--parallelism: '" + parallelism + "'; allowed: 1 or more");
    }
    if (dataDir != null) {
      return new Folder(Files.createDirectories(dataDir).toAbsolutePath(), false);
    }
    return new Folder(Files.createTempDirectory("freshet-"), true);
  }

  LocalRun.Settings settings(Folder folder, boolean truthKnown) {
    return new LocalRun.Settings(folder.path(), parallelism, checkpointEvery, truthKnown);
  }
}
