package dev.freshet.server.options;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.InvalidValueException;
import dev.freshet.topics.ClientProperties;
import java.io.IOException;
import java.nio.file.Path;

/** Reads pipeline files for commands. */
public final class PipelineOption {

  /** The pipeline of the demo, wherever the command was called from. */
  public static final Path SHOP =
      Path.of(System.getProperty("freshet.home", "."), "pipelines", "shop.yaml");

  private PipelineOption() {}

  public static Pipeline read(Path file) throws IOException {
    return read("--pipeline", file);
  }

  /**
   * As the other one.
   *
   * @param option that named the file
   */
  public static Pipeline read(String option, Path file) throws IOException {
    PathOption.file(option, file);
    return ClientProperties.read(file);
  }

  /**
   * As the other one, on other brokers.
   *
   * @param bootstrap what {@code --bootstrap} says; null for the file's
   */
  public static Pipeline read(Path file, String bootstrap) throws IOException {
    Pipeline pipeline = read(file);
    try {
      return bootstrap == null ? pipeline : pipeline.withBootstrap(bootstrap);
    } catch (InvalidValueException e) {
      throw new Usage("--" + e.getMessage());
    }
  }
}
