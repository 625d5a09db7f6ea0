package dev.freshet.local.run;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.labels.Task;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.torch.TorchLibrary;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.settings.Durations;
import dev.freshet.core.settings.EnumNames;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.broker.Topics;
import dev.freshet.local.screen.Terminal;
import dev.freshet.local.signals.EndRequest;
import dev.freshet.replica.ModelReplica;
import dev.freshet.topics.StartChecks;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The whole loop in one place: broker, topics, job, replicas, observer. Started and closed as one;
 * what feeds it with events comes on top.
 */
public final class LocalRun implements AutoCloseable {

  private static final int EVENT_PARTITIONS = 2;
  private static final Duration REDRAWN = Duration.ofSeconds(1);
  private static final Duration PROGRESS = Duration.ofSeconds(5);
  private static final Duration AT_FIRST = Duration.ofMinutes(2);
  private static final Duration NOW_AND_THEN = Duration.ofMinutes(1);
  private static final Duration BRIEFLY = Duration.ofMillis(300);
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration FAILURES = Duration.ofSeconds(1);

  /**
   * Settings of a run.
   *
   * @param metricsPort where Prometheus may ask for the job's metrics, or null
   * @param lasting true of a run that has no end by itself: it outlasts more failures and tells
   *     less
   */
  public record Settings(
      Path folder,
      int parallelism,
      Duration checkpointEvery,
      boolean truthKnown,
      @Nullable Integer metricsPort,
      boolean lasting) {}

  /** Why a run ended. */
  public enum Ending {
    /** All events are read, all windows closed, all labels learnt. */
    LEARNT,
    /** The time was over; with its folder the run can go on. */
    TIME_OVER,
    /** Somebody asked for it; with its folder the run can go on. */
    INTERRUPTED
  }

  /** Where the events come from. */
  interface Feed {
    /** True if no more events come. */
    boolean allSent() throws Exception;

    /** Does what is to be done now and then. */
    default void meanwhile() throws Exception {}

    /** Sends no more: the run ends. */
    default void stop() throws InterruptedException {}
  }

  private final Settings settings;
  private final EndRequest end;
  private final PrintStream out;

  /** Null on brokers that are somebody else's. */
  private final @Nullable EmbeddedBroker broker;

  private final Pipeline pipeline;
  private final Topics topics;
  private final Observer observer;
  private final Progress progress;
  private final long startedAt = System.nanoTime();
  private @Nullable LocalJob job;
  private long printedAt;
  private long failuresSought;
  private int failuresTold;
  private @Nullable String lastFailure;

  private LocalRun(
      Settings settings,
      EndRequest end,
      PrintStream out,
      @Nullable EmbeddedBroker broker,
      Pipeline pipeline,
      Topics topics)
      throws IOException {
    this.settings = settings;
    this.end = end;
    this.out = out;
    this.broker = broker;
    this.pipeline = pipeline;
    this.topics = topics;
    observer = new Observer(pipeline, topics, settings.folder().resolve("tmp"));
    progress = new Progress(observer, out, settings.truthKnown());
  }

  /**
   * Starts the broker, creates the topics and watches them. The job comes with {@link #startJob}.
   */
  public static LocalRun open(Pipeline pipeline, Settings settings, EndRequest end, PrintStream out)
      throws Exception {
    Terminal.status(out, "Starting PyTorch ...");
    out.println("PyTorch " + TorchLibrary.selfTest());
    Terminal.status(out, "Starting Kafka ...");
    EmbeddedBroker broker = EmbeddedBroker.start(settings.folder().resolve("kafka"));
    Topics topics = null;
    try {
      Pipeline local = pipeline.onOneBroker(broker.bootstrap());
      topics = new Topics(local);
      topics.create(EVENT_PARTITIONS);
      LocalRun run = new LocalRun(settings, end, out, broker, local, topics);
      run.observer.begin(BRIEFLY);
      out.println("Kafka at " + broker.bootstrap());
      return run;
    } catch (Exception e) {
      if (topics != null) {
        topics.close();
      }
      broker.kill();
      throw e;
    }
  }

  /**
   * As {@link #open}, on the pipeline's own brokers, if nothing speaks against it. What earlier
   * jobs left in its topics is passed over.
   */
  public static LocalRun join(Pipeline pipeline, Settings settings, EndRequest end, PrintStream out)
      throws Exception {
    out.println("PyTorch " + TorchLibrary.selfTest());
    StartChecks.run(pipeline, pipeline.pipeline())
        .forEach(warning -> out.println("Warning: " + warning));
    Topics topics = new Topics(pipeline);
    try {
      LocalRun run = new LocalRun(settings, end, out, null, pipeline, topics);
      run.observer.begin(LONG);
      out.println("Kafka at " + pipeline.kafka().bootstrap());
      return run;
    } catch (Exception e) {
      topics.close();
      throw e;
    }
  }

  /** Starts the job, from the newest checkpoint if there is one. */
  public void startJob() throws Exception {
    Terminal.status(out, "Starting Flink ...");
    LocalJob started = LocalJob.start(pipeline, settings);
    job = started;
    observer.counted(started::counted);
    int port = started.webPort();
    out.printf(
        "Flink web UI at http://127.0.0.1:%d%s%n",
        port,
        port == LocalJob.preferredWebPort()
            ? ""
            : " (port " + LocalJob.preferredWebPort() + " is taken)");
    if (settings.metricsPort() != null) {
      out.println("Metrics at http://127.0.0.1:" + settings.metricsPort() + "/metrics");
    }
    tellLongWindows();
    if (started.restored()) {
      out.println("Going on from the newest checkpoint in " + settings.folder());
    }
  }

  private void tellLongWindows() {
    pipeline.tasks().stream()
        .filter(pipeline::judgedLate)
        .map(Task::window)
        .max(Comparator.naturalOrder())
        .ifPresent(
            longest ->
                out.printf(
                    "Note: a prediction is judged that is made when a label is told, up to %s after"
                        + " its%n  impression; training.scoring.at: impression judges what is served%n",
                    Durations.written(longest)));
  }

  /**
   * Follows the job until all of the feed is learnt, the time is over or somebody wants the end,
   * and ends it accordingly.
   *
   * @param until seconds since the start of the run
   * @throws JobFailedException if the job fails for good
   */
  Ending follow(Feed feed, double until) throws Exception {
    boolean emitting = false;
    while (!end.made()) {
      if (job().finished()) {
        throw new IllegalStateException("the job ended by itself");
      }
      watch(feed);
      if (feed.allSent() && job().running() && topics.allRead()) {
        // Draining closes every window; a run that may be continued must not do that too early.
        if (!emitting) {
          out.println("All events are read; emitting the last labels");
          emitting = true;
        }
        if (job().stop(true, () -> watched(feed))) {
          return Ending.LEARNT;
        }
      } else if (seconds() >= until) {
        feed.stop();
        if (job().stop(false, () -> watched(feed))) {
          return Ending.TIME_OVER;
        }
      }
      TimeUnit.MILLISECONDS.sleep(250);
    }
    feed.stop();
    // The newest checkpoint is seconds old. A savepoint would have to wait for the whole backlog.
    job().cancel();
    return Ending.INTERRUPTED;
  }

  private LocalJob job() {
    return requireNonNull(job, "startJob comes first");
  }

  private boolean watched(Feed feed) throws Exception {
    watch(feed);
    return !end.made();
  }

  private void watch(Feed feed) throws Exception {
    feed.meanwhile();
    if (System.nanoTime() - failuresSought > FAILURES.toNanos()) {
      failuresSought = System.nanoTime();
      tellFailures();
    }
    tick();
  }

  /** Says what has failed since it was last asked; the job comes back by itself, up to a limit. */
  private void tellFailures() throws Exception {
    List<TaskFailure> failures = job().failures();
    for (TaskFailure failure : failures.subList(failuresTold, failures.size())) {
      String what = failure.toString();
      out.printf(
          "A step failed%s%n  the job goes back to its newest checkpoint, attempt %d of %d%n",
          what.equals(lastFailure) ? " again, in the same way" : ": " + what,
          failure.attempt() + 1,
          LocalJob.restarts(settings.lasting()));
      lastFailure = what;
    }
    failuresTold = failures.size();
  }

  /** The pipeline on this run's broker. */
  public Pipeline pipeline() {
    return pipeline;
  }

  public Topics topics() {
    return topics;
  }

  /** Seconds since the start. */
  public double seconds() {
    return (System.nanoTime() - startedAt) / 1e9;
  }

  /** Prints progress if it is time to. */
  public void tick() throws Exception {
    boolean often = !settings.lasting() || seconds() < AT_FIRST.toSeconds();
    Duration after = progress.redrawn() ? REDRAWN : often ? PROGRESS : NOW_AND_THEN;
    if (System.nanoTime() - printedAt > after.toNanos()) {
      printedAt = System.nanoTime();
      progress.print(seconds());
      if (job != null) {
        job.lateCheckpoint().ifPresent(late -> out.println("       " + late));
      }
    }
  }

  /** The final figures, when everything that is committed has been seen. */
  public ObjectNode report(Ending ending) throws Exception {
    // What was cancelled in the middle stays hidden; whoever ended it does not want to wait.
    boolean all = observer.catchUp(ending == Ending.INTERRUPTED ? BRIEFLY : LONG);
    if (!all && ending != Ending.INTERRUPTED) {
      throw new IOException("what the job wrote last does not become readable");
    }
    progress.printLast(seconds());
    progress.printDeadLetters();
    progress.printSkewed();
    progress.printDeadlines();
    ObjectNode report = RunReport.of(observer, seconds(), settings.truthKnown());
    report.put("ended", EnumNames.of(ending));
    return report;
  }

  /**
   * Adds what was left out since then to a report: how many of what, and the first of each reason.
   *
   * @param from messages on the dead-letter topic before that, by topic-partition
   */
  void reportDeadLetters(ObjectNode report, Map<String, Long> from) throws Exception {
    DeadLetters since = new DeadLetters(pipeline);
    String topic = pipeline.topic(SystemTopic.DEAD_LETTERS);
    try (TopicFollower follower =
        new TopicFollower(
            pipeline,
            topic,
            letter -> {
              if (letter.offset() >= from.getOrDefault(topic + "-" + letter.partition(), 0L)) {
                since.add(letter);
              }
            })) {
      TopicFollower.catchUp(topics, BRIEFLY, follower);
    }
    RunReport.deadLetters(report, since);
  }

  /** The replica of a model, by its definition. */
  public ModelReplica replica(ModelDefinition model) {
    return observer.replica(model.name());
  }

  @Override
  public void close() throws Exception {
    observer.close();
    try {
      if (job != null) {
        job.close();
      }
    } finally {
      topics.close();
      if (broker != null && end.made()) {
        broker.kill(); // Its log is on disk, and nobody waits for it to tidy up.
      } else if (broker != null) {
        broker.close();
      }
    }
  }
}
