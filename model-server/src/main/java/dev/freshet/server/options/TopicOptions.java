package dev.freshet.server.options;

import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.topics.ClientProperties;
import dev.freshet.topics.PipelineSource;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of commands that read a running pipeline's topics. */
public final class TopicOptions {

  @Option(
      names = "--pipeline",
      paramLabel = "FILE",
      description = "The pipeline, or its http(s) address. Default: pipelines/shop.yaml.")
  private PipelineSource pipeline = PipelineOption.SHOP;

  @Option(
      names = "--bootstrap",
      paramLabel = "HOST:PORT",
      description = "Kafka brokers, instead of the pipeline's; the demo prints its own.")
  private @Nullable String bootstrap;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      description = "Name of the model. Default: the pipeline's first.")
  private @Nullable String model;

  public Pipeline pipeline() throws IOException {
    Pipeline read = PipelineOption.read(pipeline, bootstrap);
    ClientProperties.resolve(read);
    return read;
  }

  public String model(Pipeline from) {
    List<String> names = from.models().stream().map(ModelDefinition::name).toList();
    if (model != null && !names.contains(model)) {
      throw new Usage("--model: '" + model + "'; allowed: " + String.join(", ", names));
    }
    return model == null ? names.get(0) : model;
  }
}
