package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A file that has grown long does more than one thing. */
class FileLengthTest {

  private static final int MOST_LINES = 400;

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
    assertThat(sources())
        .as("files of at most %d lines", MOST_LINES)
        .allSatisfy(file -> assertThat(lines(file)).as("%s", file).isLessThanOrEqualTo(MOST_LINES));
  }
}
