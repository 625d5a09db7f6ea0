package dev.freshet.local.commands;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads pipeline files for commands. */
final class PipelineOption {

  /** The pipeline of the demo, wherever the command was called from. */
  static final Path SHOP =
      Path.of(System.getProperty("freshet.home", "."), "pipelines", "shop.yaml");

  private PipelineOption() {}

  static Pipeline read(Path file) throws IOException {
    existing(file);
    return PipelineFile.read(file);
  }

  static void existing(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new Usage(file + ": no such file");
    }
  }
}
