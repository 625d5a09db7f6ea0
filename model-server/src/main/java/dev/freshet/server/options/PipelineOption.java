package dev.freshet.server.options;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.InvalidValueException;
import dev.freshet.topics.ClientProperties;
import dev.freshet.topics.PipelineSource;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Reads pipeline files for commands. */
public final class PipelineOption {

  /** The pipeline of the demo, wherever the command was called from. */
  public static final PipelineSource SHOP =
      PipelineSource.of(Path.of(System.getProperty("freshet.home", "."), "pipelines", "shop.yaml"));

  private PipelineOption() {}

  public static Pipeline read(PipelineSource file) throws IOException {
    return read("--pipeline", file);
  }

  /**
   * As the other one.
   *
   * @param option that named the file
   */
  public static Pipeline read(String option, PipelineSource file) throws IOException {
    if (file.path().isPresent()) {
      if (file.address().contains("://")) {
        throw new Usage(
            option
                + ": '"
                + file.address()
                + "'; allowed: a file, or an http:// or https:// address");
      }
      PathOption.file(option, file.path().get());
    }
    return ClientProperties.read(file);
  }

  /**
   * As the other one, on other brokers.
   *
   * @param bootstrap value of {@code --bootstrap}; null for the file's
   */
  public static Pipeline read(PipelineSource file, @Nullable String bootstrap) throws IOException {
    return read("--pipeline", file, bootstrap);
  }

  /**
   * As the other ones.
   *
   * @param option that named the file
   * @param bootstrap value of {@code --bootstrap}; null for the file's
   */
  public static Pipeline read(String option, PipelineSource file, @Nullable String bootstrap)
      throws IOException {
    Pipeline pipeline = read(option, file);
    return bootstrap == null ? pipeline : onBrokers(pipeline, bootstrap);
  }

  /**
   * A pipeline on other brokers.
   *
   * @param bootstrap value of {@code --bootstrap}
   */
  public static Pipeline onBrokers(Pipeline pipeline, String bootstrap) {
    try {
      return pipeline.withBootstrap(bootstrap);
    } catch (InvalidValueException e) {
      throw new Usage("--" + e.getMessage());
    }
  }
}
