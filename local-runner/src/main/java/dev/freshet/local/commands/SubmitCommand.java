package dev.freshet.local.commands;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Durations;
import dev.freshet.job.JobGraph;
import dev.freshet.job.training.CheckpointCheck;
import dev.freshet.local.cluster.RemoteCluster;
import dev.freshet.server.options.DurationConverter;
import dev.freshet.server.options.PipelineOption;
import dev.freshet.server.options.Usage;
import dev.freshet.topics.PipelineSource;
import dev.freshet.topics.StartChecks;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.rest.util.RestClientException;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "submit",
    description = {
      "Checks topics, permissions and the savepoint, and starts the job on a Flink cluster.",
      "Checkpoints, restarts and the state backend are as the cluster's configuration says."
    },
    mixinStandardHelpOptions = true)
final class SubmitCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Option(
      names = "--jobmanager",
      paramLabel = "URL",
      required = true,
      description = "REST endpoint of the job manager, with its port (8081 by default).")
  private String url;

  @Option(
      names = "--pipeline",
      paramLabel = "FILE",
      required = true,
      description = "The pipeline, or its http(s) address.")
  private PipelineSource file;

  @Option(
      names = "--bootstrap",
      paramLabel = "HOST:PORT",
      description = "Kafka brokers, instead of the pipeline's, as the cluster reaches them.")
  private @Nullable String bootstrap;

  @Option(
      names = "--parallelism",
      paramLabel = "N",
      description =
          "Of sources and joins; each model takes a slot more. Default: the cluster's"
              + " parallelism.default.")
  private @Nullable Integer parallelism;

  @Option(
      names = "--savepoint",
      paramLabel = "PATH",
      description =
          "Savepoint or checkpoint to go on from, as the cluster reads it: file:///..., s3://..."
              + " Default: none, a fresh start.")
  private @Nullable String savepoint;

  @Option(
      names = "--allow-non-restored",
      description = "Drop what the savepoint holds of models that the pipeline no longer has.")
  private boolean allowNonRestored;

  @Option(
      names = "--jar",
      paramLabel = "FILE",
      description = "The job's jar. Default: what `./mvnw package` made in streaming-job/target.")
  private @Nullable Path jar;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      defaultValue = "2m",
      converter = DurationConverter.class,
      description = "How long to wait until all tasks run. Default: ${DEFAULT-VALUE}.")
  private Duration timeout;

  @Override
  public Integer call() throws Exception {
    // All that can be seen here, before anybody is asked.
    RemoteCluster cluster = cluster();
    Path code = jar();
    SavepointRestoreSettings from = from();
    if (parallelism != null && parallelism < 1) {
      throw new Usage("--parallelism: '" + parallelism + "'; allowed: 1 or more");
    }
    Pipeline pipeline = PipelineOption.read(file, bootstrap);
    Configuration conf = cluster.configuration();
    PrintWriter out = spec.commandLine().getOut();
    checkVersion(cluster);
    checkCheckpoints(conf, out);
    Optional<String> other = cluster.running(JobGraph.name(pipeline));
    if (other.isPresent()) {
      throw new Usage(
          "pipeline: '%s'; allowed: one that no job there runs, but job %s does: two of one name break each"
                  .formatted(pipeline.pipeline(), other.get())
              + " other's transactions. Stop it with a savepoint and submit with --savepoint, or give"
              + " this one another name");
    }
    conf.set(PipelineOptions.JARS, List.of(code.toUri().toString()));
    if (parallelism != null) {
      conf.set(CoreOptions.DEFAULT_PARALLELISM, parallelism);
    }
    SavepointRestoreSettings.toConfiguration(from, conf);
    int wanted = conf.get(CoreOptions.DEFAULT_PARALLELISM) + pipeline.models().size();
    RemoteCluster.Slots slots = cluster.slots();
    if (slots.available() < wanted) {
      out.printf(
          "Warning: %d slots are free of %d, the job takes %d (its parallelism, and one for each"
              + " model); it waits for them%n",
          slots.available(), slots.total(), wanted);
    }
    CheckpointCheck checkpoint =
        new CheckpointCheck(pipeline, from, warning -> out.println("Warning: " + warning));
    Map<String, Integer> partitions =
        StartChecks.runAndClaim(pipeline, file.toString(), checkpoint::run);
    StreamExecutionEnvironment env = new StreamExecutionEnvironment(conf);
    JobClient job = submit(env, JobGraph.onKafka(pipeline, partitions).graphForCluster(env));
    out.printf(
        "Submitted %s as job %s: %s/#/job/running/%s%n",
        pipeline.pipeline(), job.getJobID(), cluster.address(), job.getJobID());
    out.flush();
    return await(cluster, job, out);
  }

  /**
   * A job manager that cannot start a job answers with its stack trace; its last cause says why.
   */
  private static JobClient submit(StreamExecutionEnvironment env, StreamGraph graph)
      throws Exception {
    try {
      return env.executeAsync(graph);
    } catch (Exception e) {
      for (Throwable cause = e; cause != null; cause = cause.getCause()) {
        if (cause instanceof RestClientException refused) {
          throw new IOException(
              "the job manager refuses the job: "
                  + RemoteCluster.lastCause(requireNonNull(refused.getMessage())));
        }
      }
      throw e;
    }
  }

  private RemoteCluster cluster() {
    try {
      return new RemoteCluster(url);
    } catch (IllegalArgumentException e) {
      throw new Usage("--jobmanager: " + e.getMessage());
    }
  }

  private SavepointRestoreSettings from() {
    if (savepoint == null) {
      if (allowNonRestored) {
        throw new Usage("--allow-non-restored: goes with --savepoint, of which none is given");
      }
      return SavepointRestoreSettings.none();
    }
    if (!savepoint.startsWith("/") && !savepoint.matches("[a-zA-Z][a-zA-Z0-9+.-]*:.+")) {
      throw new Usage(
          "--savepoint: '"
              + savepoint
              + "'; allowed: the whole path as the cluster reads it, such as file:///... or s3://...");
    }
    return SavepointRestoreSettings.forPath(savepoint, allowNonRestored);
  }

  /** Jobs are sent as Java objects, which change between minor versions. */
  private static void checkVersion(RemoteCluster cluster) throws IOException {
    String there = cluster.version();
    String here = EnvironmentInformation.getVersion();
    if (!minor(there).equals(minor(here))) {
      throw new Usage(
          "--jobmanager: %s runs Flink %s; allowed: %s.x, for which this is built"
              .formatted(cluster.address(), there, minor(here)));
    }
  }

  private static String minor(String version) {
    return version.replaceFirst("^(\\d+\\.\\d+).*$", "$1");
  }

  /** A job without checkpoints runs, and nobody ever gets a version of it. */
  private static void checkCheckpoints(Configuration conf, PrintWriter out) {
    if (conf.getOptional(CheckpointingOptions.CHECKPOINTING_INTERVAL).isEmpty()) {
      throw new Usage(
          "%s: not given in the cluster's configuration; allowed: a time, such as 10s: a version is published at each checkpoint, without"
                  .formatted(CheckpointingOptions.CHECKPOINTING_INTERVAL.key())
              + " any there is none (docs/deployment.md)");
    }
    if (conf.getOptional(CheckpointingOptions.SAVEPOINT_DIRECTORY).isEmpty()) {
      out.println(
          "Warning: the cluster's configuration has no "
              + CheckpointingOptions.SAVEPOINT_DIRECTORY.key()
              + ": whoever stops the job has to say where its savepoint goes (targetDirectory)");
    }
  }

  private Path jar() throws IOException {
    if (jar != null) {
      if (!Files.isRegularFile(jar)) {
        throw new Usage("--jar: " + jar + ": no such file");
      }
      return jar.toAbsolutePath();
    }
    Path target =
        Path.of(System.getProperty("freshet.home", "."), "streaming-job", "target")
            .toAbsolutePath();
    if (Files.isDirectory(target)) {
      try (Stream<Path> files = Files.list(target)) {
        List<Path> jars = files.filter(f -> f.toString().endsWith("-job.jar")).toList();
        if (jars.size() == 1) {
          return jars.get(0);
        }
      }
    }
    throw new Usage(
        "--jar: there is no single *-job.jar in "
            + target
            + "; `./mvnw -q package -DskipTests -pl streaming-job -am` makes it");
  }

  /** Until all tasks run, or the job has failed. */
  private int await(RemoteCluster cluster, JobClient job, PrintWriter out) throws Exception {
    long end = System.nanoTime() + timeout.toNanos();
    String told = "";
    String failed = "";
    while (true) {
      String far;
      try {
        RemoteCluster.Progress now = cluster.progress(job.getJobID());
        if (now.isWhole()) {
          out.println("running");
          out.flush();
          return 0;
        }
        if (now.status().isGloballyTerminalState()) {
          job.getJobExecutionResult().get(); // says why
          return 1;
        }
        String failure = cluster.failure(job.getJobID()).orElse("");
        if (!failure.equals(failed)) {
          out.println("a try failed: " + failure);
          failed = failure;
        }
        far =
            "%s, %d of %d steps run"
                .formatted(
                    now.status().name().toLowerCase(Locale.ROOT), now.running(), now.steps());
      } catch (IOException e) {
        // The job has been taken; that nobody answers now says nothing of it.
        far = String.valueOf(e.getMessage());
      }
      if (!far.equals(told)) {
        out.println(far);
        told = far;
      }
      out.flush();
      if (System.nanoTime() > end) {
        out.printf(
            "Not all tasks run after %s (--timeout). The job goes on trying without this command:"
                + " look at it there, or cancel it%n",
            Durations.written(timeout));
        out.flush();
        return 1;
      }
      TimeUnit.MILLISECONDS.sleep(500);
    }
  }
}
