package dev.freshet.job;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.InvalidSettingsException;
import dev.freshet.topics.ClientProperties;
import dev.freshet.topics.StartChecks;
import java.nio.file.Path;
import java.util.Map;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.ParameterTool;

/**
 * Start here: reads {@code --pipeline FILE}, reports everything that is wrong with it at once, and
 * submits the {@link JobGraph}. Flink's own settings (checkpoints, state backend, restarts) come
 * from Flink's configuration.
 */
public final class StreamingJob {

  private StreamingJob() {}

  /**
   * @throws InvalidSettingsException with every problem of the pipeline file; if it has none, with
   *     every problem of Kafka's topics, permissions and settings
   */
  public static void main(String[] args) throws Exception {
    Path file = file(args);
    Pipeline pipeline = ClientProperties.read(file);
    Map<String, Integer> partitions = StartChecks.runAndClaim(pipeline, file.toString());
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
    JobGraph.onKafka(pipeline, partitions).build(env);
    env.execute("freshet " + pipeline.pipeline());
  }

  private static Path file(String[] args) {
    ParameterTool parameters = ParameterTool.fromArgs(args);
    if (!parameters.has("pipeline")) {
      throw new IllegalArgumentException("usage: --pipeline FILE");
    }
    return Path.of(parameters.get("pipeline"));
  }
}
