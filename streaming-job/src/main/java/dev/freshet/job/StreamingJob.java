package dev.freshet.job;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TrainingSettings.Device;
import dev.freshet.core.settings.EnumNames;
import dev.freshet.core.settings.InvalidSettingsException;
import dev.freshet.job.training.CheckpointCheck;
import dev.freshet.topics.ClientProperties;
import dev.freshet.topics.PipelineSource;
import dev.freshet.topics.StartChecks;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.ParameterTool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Start here: reads the file or address that {@code --pipeline} names, reports everything that is
 * wrong with it at once, and submits the {@link JobGraph}. Flink's own settings (checkpoints, state
 * backend, restarts) come from Flink's configuration.
 */
public final class StreamingJob {

  private static final Logger LOGGER = LoggerFactory.getLogger(StreamingJob.class);

  private StreamingJob() {}

  /**
   * @throws InvalidSettingsException with every problem of the pipeline file; if it has none, with
   *     every problem of Kafka's topics, permissions and settings, and of the checkpoint to start
   *     from
   */
  public static void main(String[] args) throws Exception {
    ParameterTool given = ParameterTool.fromArgs(args);
    if (!given.has("pipeline")) {
      throw new IllegalArgumentException(
          "usage: --pipeline FILE|URL [--bootstrap HOST:PORT,...] [--device auto|cpu|gpu]");
    }
    PipelineSource file = new PipelineSource(given.get("pipeline"));
    Pipeline pipeline = ClientProperties.read(file);
    if (given.has("bootstrap")) {
      pipeline = pipeline.withBootstrap(given.get("bootstrap"));
    }
    if (given.has("device")) {
      pipeline = pipeline.withDevice(device(given.get("device")));
    }
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
    CheckpointCheck checkpoint =
        new CheckpointCheck(
            pipeline,
            SavepointRestoreSettings.fromConfiguration(env.getConfiguration()),
            LOGGER::warn);
    Map<String, Integer> partitions =
        StartChecks.runAndClaim(pipeline, file.toString(), checkpoint::run);
    env.execute(JobGraph.onKafka(pipeline, partitions).graphForCluster(env));
  }

  private static Device device(String text) {
    return Stream.of(Device.values())
        .filter(device -> EnumNames.of(device).equals(text))
        .findAny()
        .orElseThrow(
            () ->
                new IllegalArgumentException("--device: '" + text + "'; allowed: auto, cpu, gpu"));
  }
}
