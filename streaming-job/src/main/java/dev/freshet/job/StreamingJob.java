package dev.freshet.job;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.settings.InvalidSettingsException;
import java.io.IOException;
import java.nio.file.Path;
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
   * @throws InvalidSettingsException with every problem of the pipeline file
   */
  public static void main(String[] args) throws Exception {
    Pipeline pipeline = pipeline(args);
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
    JobGraph.onKafka(pipeline, false).build(env);
    env.execute("freshet " + pipeline.pipeline());
  }

  private static Pipeline pipeline(String[] args) throws IOException {
    ParameterTool parameters = ParameterTool.fromArgs(args);
    if (!parameters.has("pipeline")) {
      throw new IllegalArgumentException("usage: --pipeline FILE");
    }
    return PipelineFile.read(Path.of(parameters.get("pipeline")));
  }
}
