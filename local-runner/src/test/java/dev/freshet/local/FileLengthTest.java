package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A file that has grown long does more than one thing. */
class FileLengthTest {

  private static final int MOST_LINES = 400;

  /** Longer from before. A name leaves this list with the file's splitting, and none is added. */
  private static final Set<String> TO_BE_SPLIT =
      Set.of(
          "ModelTrainer.java",
          "RecordBinder.java",
          "TargetScale.java",
          "TorchEngine.java",
          "TrainOperator.java",
          "Tuning.java");

  private static List<Path> sources() throws IOException {
    Path root = Path.of("").toAbsolutePath().getParent();
    assertThat(root.resolve("mvnw")).as("the project's root").exists();
    try (Stream<Path> modules = Files.list(root)) {
      List<Path> folders =
          modules.map(m -> m.resolve("src/main/java")).filter(Files::isDirectory).toList();
      return folders.stream().flatMap(FileLengthTest::javaFiles).toList();
    }
  }

  private static Stream<Path> javaFiles(Path folder) {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(file -> file.toString().endsWith(".java")).toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long lines(Path file) {
    try (Stream<String> lines = Files.lines(file)) {
      return lines.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void filesAreShort() throws IOException {
    Set<String> tooLong =
        sources().stream()
            .filter(file -> lines(file) > MOST_LINES)
            .map(file -> file.getFileName().toString())
            .collect(Collectors.toSet());
    assertThat(tooLong)
        .as("files of more than %d lines: split what is new, strike off what was split", MOST_LINES)
        .isEqualTo(TO_BE_SPLIT);
  }
}
