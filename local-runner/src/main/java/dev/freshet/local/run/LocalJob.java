package dev.freshet.local.run;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.job.JobGraph;
import dev.freshet.topics.StartChecks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobExecutionResult;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.MetricOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * The job on Flink's mini cluster in this process, with its web UI: exactly-once checkpoints and
 * RocksDB state under one folder, from whose newest checkpoint it goes on if there is one.
 */
public final class LocalJob implements AutoCloseable {

  private static final int FIRST_PORT = 8081;
  private static final int LAST_PORT = 8181;

  private final JobClient client;
  // Asked for once, at the start: the mini cluster ends with the job and then answers nothing.
  private final CompletableFuture<JobExecutionResult> result;
  private final int webPort;
  private final boolean restored;
  private final Path savepoints;

  private LocalJob(JobClient client, int webPort, boolean restored, Path savepoints) {
    this.client = client;
    result = client.getJobExecutionResult();
    this.webPort = webPort;
    this.restored = restored;
    this.savepoints = savepoints;
  }

  /**
   * Starts the job, if nothing speaks against it.
   *
   * @param bounded whether it ends by itself where the topics end now
   */
  public static LocalJob start(
      Pipeline pipeline, Path folder, int parallelism, Duration checkpointEvery, boolean bounded)
      throws Exception {
    Map<String, Integer> partitions = StartChecks.runAndClaim(pipeline, pipeline.pipeline());
    Path checkpoints = Files.createDirectories(folder.resolve("checkpoints"));
    Path savepoints = Files.createDirectories(folder.resolve("savepoints"));
    Optional<Path> newest = newest(checkpoints, savepoints);
    int port = freePort();
    Configuration conf = new Configuration();
    conf.set(RestOptions.PORT, port);
    conf.set(RestOptions.BIND_PORT, Integer.toString(port));
    conf.set(RestOptions.ADDRESS, "127.0.0.1");
    conf.set(RestOptions.BIND_ADDRESS, "127.0.0.1");
    conf.set(TaskManagerOptions.NUM_TASK_SLOTS, parallelism + pipeline.models().size());
    conf.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(512));
    conf.set(StateBackendOptions.STATE_BACKEND, "rocksdb");
    conf.set(CheckpointingOptions.INCREMENTAL_CHECKPOINTS, true);
    conf.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, checkpoints.toUri().toString());
    conf.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, checkpointEvery);
    conf.set(CheckpointingOptions.MAX_RETAINED_CHECKPOINTS, 2);
    conf.set(
        CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION,
        ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
    conf.set(RestartStrategyOptions.RESTART_STRATEGY, "fixed-delay");
    conf.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_ATTEMPTS, 3);
    conf.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY, Duration.ofSeconds(1));
    conf.set(MetricOptions.METRIC_FETCHER_UPDATE_INTERVAL, Duration.ofSeconds(2));
    newest.ifPresent(
        path -> conf.set(StateRecoveryOptions.SAVEPOINT_PATH, path.toUri().toString()));
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.createLocalEnvironmentWithWebUI(conf);
    env.setParallelism(parallelism);
    JobGraph.onKafka(pipeline, partitions, bounded).build(env);
    JobClient client = env.executeAsync("freshet " + pipeline.pipeline());
    return new LocalJob(client, port, newest.isPresent(), savepoints);
  }

  /** The newest completed checkpoint or savepoint: the folder that holds its metadata. */
  private static Optional<Path> newest(Path... roots) throws IOException {
    Path best = null;
    for (Path root : roots) {
      try (Stream<Path> files = Files.walk(root, 3)) {
        Optional<Path> candidate =
            files
                .filter(f -> f.getFileName().toString().equals("_metadata"))
                .max(Comparator.comparing(LocalJob::modified));
        if (candidate.isPresent()
            && (best == null || modified(candidate.get()).compareTo(modified(best)) > 0)) {
          best = candidate.get();
        }
      }
    }
    return Optional.ofNullable(best).map(Path::getParent);
  }

  private static FileTime modified(Path file) {
    try {
      return Files.getLastModifiedTime(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int freePort() throws IOException {
    for (int port = FIRST_PORT; port <= LAST_PORT; port++) {
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (IOException taken) {
        continue;
      }
    }
    throw new IOException("no free port for the web UI from " + FIRST_PORT + " to " + LAST_PORT);
  }

  /** The port that the web UI would have if nothing else had it. */
  public static int preferredWebPort() {
    return FIRST_PORT;
  }

  /** Port of the web UI on the loopback interface. */
  public int webPort() {
    return webPort;
  }

  /** Whether the job went on from a checkpoint. */
  public boolean restored() {
    return restored;
  }

  /**
   * Whether the job is over.
   *
   * @throws ExecutionException if it failed
   */
  public boolean finished() throws ExecutionException, InterruptedException {
    if (result.isDone()) {
      result.get();
      return true;
    }
    return false;
  }

  /**
   * Ends the job in order.
   *
   * @param drain whether all windows are closed and everything is settled and learnt; if not the
   *     job can go on later where it stopped
   */
  public void stop(boolean drain) throws Exception {
    if (!finished()) {
      client
          .stopWithSavepoint(drain, savepoints.toUri().toString(), SavepointFormatType.NATIVE)
          .get(5, TimeUnit.MINUTES);
      result.get(1, TimeUnit.MINUTES);
    }
  }

  /** Cancels the job if it still runs. */
  @Override
  public void close() throws Exception {
    if (!result.isDone()) {
      client.cancel().get(30, TimeUnit.SECONDS);
    }
  }
}
