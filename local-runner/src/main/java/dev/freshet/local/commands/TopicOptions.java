package dev.freshet.local.commands;

import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.publishing.ModelVersion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** Options of commands that read a running pipeline's topics. */
final class TopicOptions {

  @Option(
      names = "--pipeline",
      paramLabel = "FILE",
      description = "The pipeline. Default: pipelines/shop.yaml.")
  private Path pipeline = PipelineOption.SHOP;

  @Option(
      names = "--bootstrap",
      paramLabel = "HOST:PORT",
      description = "Kafka brokers, instead of the pipeline's; the demo prints its own.")
  private String bootstrap;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      description = "Name of the model. Default: the pipeline's first.")
  private String model;

  Pipeline pipeline() throws IOException {
    Pipeline read = PipelineOption.read(pipeline);
    return bootstrap == null ? read : read.withBootstrap(bootstrap);
  }

  String model(Pipeline from) {
    List<String> names = from.models().stream().map(ModelDefinition::name).toList();
    if (model != null && !names.contains(model)) {
      throw new Usage("--model: '" + model + "'; allowed: " + String.join(", ", names));
    }
    return model == null ? names.get(0) : model;
  }

  /** Refuses what cannot be a version; null is fine. */
  static void checkVersion(String version) {
    if (version != null) {
      try {
        ModelVersion.parse(version);
      } catch (IllegalArgumentException e) {
        throw new Usage("--version: " + e.getMessage());
      }
    }
  }

  /** For a version that the topic does not hold; null is the newest. */
  static Usage noSuchVersion(String model, String version) {
    return new Usage(
        version == null
            ? "model " + model + " has no version on the topic yet"
            : "version " + version + " is not, or no longer, on the topic; see models list");
  }
}
