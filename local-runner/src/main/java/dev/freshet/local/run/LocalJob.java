package dev.freshet.local.run;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.job.JobGraph;
import dev.freshet.job.training.CheckpointCheck;
import dev.freshet.topics.StartChecks;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.MetricOptions;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.SecurityOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.configuration.WebOptions;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.metrics.prometheus.PrometheusReporterFactory;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.jobmaster.JobResult;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.runtime.minicluster.RpcServiceSharing;
import org.apache.flink.runtime.rpc.RpcSystem;
import org.apache.flink.state.rocksdb.RocksDBConfigurableOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.Reference;
import org.slf4j.LoggerFactory;

/**
 * The job on Flink's mini cluster in this process, with its web UI: exactly-once checkpoints and
 * RocksDB state under one folder, from whose newest checkpoint it goes on if there is one.
 */
public final class LocalJob implements AutoCloseable {

  private static final int RESTARTS = 3;
  private static final int LASTING_RESTARTS = 20;
  private static final int FIRST_PORT = 8081;
  private static final int LAST_PORT = 8181;
  private static final int INTERVALS = 5;
  private static final Duration WATERMARKS = Duration.ofMillis(10);
  private static final Duration LEAST_PATIENCE = Duration.ofSeconds(10);
  private static final Duration POLL = Duration.ofMillis(100);

  /** Work that goes on while the job ends. */
  interface Meanwhile {
    /** True to go on. */
    boolean goOn() throws Exception;
  }

  private final MiniCluster cluster;
  private final JobID id;
  private final CompletableFuture<JobResult> result;
  private final boolean restored;
  private final Path savepoints;
  private final Duration patience;
  private final Clock clock;

  private LocalJob(
      MiniCluster cluster,
      JobID id,
      boolean restored,
      Path savepoints,
      Duration checkpointEvery,
      Clock clock) {
    this.cluster = cluster;
    this.id = id;
    result = cluster.requestJobResult(id);
    this.restored = restored;
    this.savepoints = savepoints;
    this.clock = clock;
    Duration several = checkpointEvery.multipliedBy(INTERVALS);
    patience = several.compareTo(LEAST_PATIENCE) > 0 ? several : LEAST_PATIENCE;
  }

  /**
   * Starts the job, if nothing speaks against it. It has no end of its own: {@link #stop} or {@link
   * #cancel} ends it.
   */
  public static LocalJob start(
      Pipeline pipeline, Path folder, int parallelism, Duration checkpointEvery) throws Exception {
    return start(
        pipeline, new LocalRun.Settings(folder, parallelism, checkpointEvery, false, null, false));
  }

  /** The same as the settings of a run say. */
  static LocalJob start(Pipeline pipeline, LocalRun.Settings settings) throws Exception {
    Path folder = settings.folder();
    int parallelism = settings.parallelism();
    Duration checkpointEvery = settings.checkpointEvery();
    Integer metricsPort = settings.metricsPort();
    Path checkpoints = Files.createDirectories(folder.resolve("checkpoints"));
    Path savepoints = Files.createDirectories(folder.resolve("savepoints"));
    Path temporary = Files.createDirectories(folder.resolve("tmp"));
    SavepointRestoreSettings from =
        newest(checkpoints, savepoints)
            .map(path -> SavepointRestoreSettings.forPath(path.toUri().toString()))
            .orElse(SavepointRestoreSettings.none());
    CheckpointCheck checkpoint =
        new CheckpointCheck(pipeline, from, LoggerFactory.getLogger(LocalJob.class)::warn);
    Map<String, Integer> partitions =
        StartChecks.runAndClaim(pipeline, pipeline.pipeline(), checkpoint::run);
    int slots = parallelism + pipeline.models().size();
    Configuration conf = new Configuration();
    // Bound in this order, not probed: two runs that start together get a port each.
    conf.set(RestOptions.BIND_PORT, FIRST_PORT + "-" + LAST_PORT);
    conf.set(RestOptions.ADDRESS, "127.0.0.1");
    conf.set(RestOptions.BIND_ADDRESS, "127.0.0.1");
    conf.set(CoreOptions.TMP_DIRS, temporary.toString());
    conf.set(WebOptions.TMP_DIR, temporary.toString());
    conf.set(TaskManagerOptions.NUM_TASK_SLOTS, slots);
    conf.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(512));
    // A replay is behind from its first moment: barriers wait for what is buffered before the slow
    // trainers, so there is to be no more of it than takes a second. All is in this process, where
    // small buffers cost little; until their size is found they are the limit.
    conf.set(TaskManagerOptions.MEMORY_SEGMENT_SIZE, MemorySize.parse("4kb"));
    conf.set(TaskManagerOptions.BUFFER_DEBLOAT_ENABLED, true);
    // A watermark lets the join tell all labels up to it before anything else passes, a barrier
    // too; in a fifth of a second, the default, a replay reads events for minutes of learning.
    conf.set(PipelineOptions.AUTO_WATERMARK_INTERVAL, WATERMARKS);
    conf.set(StateBackendOptions.STATE_BACKEND, "rocksdb");
    // An impression is asked for before it is there, by its own first event.
    conf.set(RocksDBConfigurableOptions.USE_BLOOM_FILTER, true);
    conf.set(CheckpointingOptions.INCREMENTAL_CHECKPOINTS, true);
    conf.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, checkpoints.toUri().toString());
    conf.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, checkpointEvery);
    // Those that became due while one was under way are not made up for, and slow ones leave time
    // to learn: with each a version of each model is published.
    conf.set(CheckpointingOptions.MIN_PAUSE_BETWEEN_CHECKPOINTS, checkpointEvery.dividedBy(2));
    conf.set(CheckpointingOptions.MAX_RETAINED_CHECKPOINTS, 2);
    // Barriers that wait longer than that, for labels that are told or learnt, go past them:
    // without
    // it nothing was published as long as a join told what a watermark had closed.
    conf.set(CheckpointingOptions.ENABLE_UNALIGNED, true);
    conf.set(CheckpointingOptions.ALIGNED_CHECKPOINT_TIMEOUT, Duration.ofSeconds(1));
    conf.set(CheckpointingOptions.ENABLE_UNALIGNED_INTERRUPTIBLE_TIMERS, true);
    conf.set(
        CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION,
        ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
    restarts(conf, settings.lasting());
    conf.set(SecurityOptions.DELEGATION_TOKENS_ENABLED, false);
    String log = System.getProperty("freshet.log");
    if (log != null) {
      conf.set(WebOptions.LOG_PATH, log);
      conf.set(TaskManagerOptions.TASK_MANAGER_LOG_PATH, log); // the same, this being one process
    }
    conf.set(MetricOptions.METRIC_FETCHER_UPDATE_INTERVAL, Duration.ofSeconds(2));
    if (metricsPort != null) {
      Configuration reporter = MetricOptions.forReporter(conf, "prom");
      reporter.set(MetricOptions.REPORTER_FACTORY_CLASS, PrometheusReporterFactory.class.getName());
      reporter.setString("port", metricsPort.toString());
      // Otherwise missing-field is told as missing_field.
      reporter.setString("filterLabelValueCharacters", "false");
    }
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.createLocalEnvironment(parallelism, conf);
    var plan = JobGraph.onKafka(pipeline, partitions).graph(env);
    plan.setSavepointRestoreSettings(from);
    MiniCluster cluster =
        new MiniCluster(
            new MiniClusterConfiguration.Builder()
                .setConfiguration(conf)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(slots)
                .setRpcServiceSharing(RpcServiceSharing.SHARED)
                .build(),
            () -> Reference.owned(RpcSystem.load(conf)));
    try {
      cluster.start();
      var graph = plan.getJobGraph();
      cluster.submitJob(graph).get();
      return new LocalJob(
          cluster,
          graph.getJobID(),
          from.restoreSavepoint(),
          savepoints,
          checkpointEvery,
          Clock.systemUTC());
    } catch (Exception e) {
      cluster.close();
      throw e;
    }
  }

  /**
   * The newest whole checkpoint or savepoint, by its number, which goes on across restarts: clocks
   * and the times of files may jump. The file that makes one whole appears last, by a rename.
   */
  static Optional<Path> newest(Path... roots) throws IOException {
    Path best = null;
    long bestId = -1;
    for (Path root : roots) {
      List<Path> whole;
      try (Stream<Path> files = Files.walk(root, 3)) {
        whole = files.filter(f -> f.getFileName().toString().equals("_metadata")).toList();
      }
      for (Path file : whole) {
        long id = number(file);
        if (id > bestId) {
          best = file.getParent();
          bestId = id;
        }
      }
    }
    return Optional.ofNullable(best);
  }

  private static long number(Path metadata) throws IOException {
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(metadata)))) {
      return Checkpoints.loadCheckpointMetadata(
              in,
              LocalJob.class.getClassLoader(),
              requireNonNull(metadata.getParent()).toUri().toString())
          .getCheckpointId();
    } catch (IOException | RuntimeException e) {
      // Going on from an older one would write again what this one's sinks have committed.
      throw new IOException("the checkpoint " + metadata.getParent() + " cannot be read", e);
    }
  }

  /** The port that the web UI would have if nothing else had it. */
  public static int preferredWebPort() {
    return FIRST_PORT;
  }

  /** Port of the web UI on the loopback interface. */
  public int webPort() throws ExecutionException, InterruptedException {
    return cluster.getRestAddress().get().getPort();
  }

  /** True if the job went on from a checkpoint. */
  public boolean restored() {
    return restored;
  }

  /**
   * True if the job is over.
   *
   * @throws JobFailedException if it failed
   */
  public boolean finished() throws Exception {
    if (!result.isDone()) {
      return false;
    }
    JobResult ended = result.get();
    if (!ended.isSuccess()) {
      throw JobFailedException.of(ended, failures());
    }
    return true;
  }

  /** Counts of the tasks, by accumulator, as they last told it; exact when the job has ended. */
  Map<String, Object> counted() {
    try {
      var sums = cluster.getArchivedExecutionGraph(id).get().getAccumulatorsSerialized();
      Map<String, Object> counts = new TreeMap<>();
      for (String name : sums.keySet()) {
        counts.put(
            name, sums.get(name).deserializeValue(LocalJob.class.getClassLoader()).getUnchecked());
      }
      return counts;
    } catch (ExecutionException | IOException | ClassNotFoundException e) {
      throw new IllegalStateException("what the job has counted cannot be read", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Map.of();
    }
  }

  /**
   * A sentence on a job that goes without a checkpoint for longer than expected: several intervals,
   * and no less than some seconds.
   */
  Optional<String> lateCheckpoint() throws ExecutionException, InterruptedException {
    return CheckpointWatch.late(
        cluster.getArchivedExecutionGraph(id).get(), clock.millis(), patience);
  }

  /** Failures so far, oldest first, whether or not the job came back from them. */
  public List<TaskFailure> failures() throws Exception {
    return TaskFailure.of(cluster.getArchivedExecutionGraph(id).get());
  }

  /**
   * Ends the job in order, with a savepoint from which it can go on.
   *
   * @param drain true to close all windows first, so that all labels are final and learnt
   * @param given up when this turns true: then the job still runs
   * @return true if the job has ended; if not, it was about to restart or given up: ask again
   * @throws JobFailedException if it failed for good
   */
  boolean stop(boolean drain, Meanwhile meanwhile) throws Exception {
    if (finished()) {
      return true;
    }
    CompletableFuture<String> savepoint =
        cluster.stopWithSavepoint(
            id, savepoints.toUri().toString(), drain, SavepointFormatType.NATIVE);
    while (true) {
      try {
        savepoint.get(POLL.toMillis(), TimeUnit.MILLISECONDS);
        while (!finished()) {
          TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
        }
        return true;
      } catch (TimeoutException stillWriting) {
        if (!meanwhile.goOn()) {
          return false;
        }
      } catch (ExecutionException e) {
        // Not all tasks run yet, or one failed and the job goes back to the newest checkpoint.
        LoggerFactory.getLogger(LocalJob.class).warn("The job could not be stopped now", e);
        TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
        return finished();
      }
    }
  }

  /** How often a job comes back by itself before it has failed. */
  static int restarts(boolean lasting) {
    return lasting ? LASTING_RESTARTS : RESTARTS;
  }

  private static void restarts(Configuration conf, boolean lasting) {
    if (lasting) {
      // As in conf/config.yaml: brokers go away now and then, all day.
      conf.set(RestartStrategyOptions.RESTART_STRATEGY, "exponential-delay");
      conf.set(
          RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_ATTEMPTS, LASTING_RESTARTS);
      conf.set(
          RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_INITIAL_BACKOFF,
          Duration.ofSeconds(1));
      conf.set(
          RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_MAX_BACKOFF,
          Duration.ofMinutes(1));
      conf.set(
          RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_RESET_BACKOFF_THRESHOLD,
          Duration.ofMinutes(30));
    } else {
      conf.set(RestartStrategyOptions.RESTART_STRATEGY, "fixed-delay");
      conf.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_ATTEMPTS, RESTARTS);
      conf.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY, Duration.ofSeconds(1));
    }
  }

  /** Ends the job at once; it can go on from its newest checkpoint. */
  public void cancel() throws Exception {
    if (!result.isDone()) {
      cluster.cancelJob(id).get(30, TimeUnit.SECONDS);
      result.get(30, TimeUnit.SECONDS);
    }
  }

  /** True if all tasks run: neither starting nor coming back from a failure. */
  public boolean running() throws ExecutionException, InterruptedException {
    return cluster.getJobStatus(id).get() == JobStatus.RUNNING;
  }

  /** Cancels the job if it still runs. */
  @Override
  public void close() throws Exception {
    try {
      cancel();
    } finally {
      cluster.close();
    }
  }
}
