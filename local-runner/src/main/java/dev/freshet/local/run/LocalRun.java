package dev.freshet.local.run;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.torch.TorchEngine;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.broker.Topics;
import dev.freshet.replica.ModelReplica;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The whole loop in one place: broker, topics, job, replicas, observer. Started and closed as one;
 * what feeds it with events comes on top.
 */
public final class LocalRun implements AutoCloseable {

  private static final int EVENT_PARTITIONS = 2;
  private static final Duration PROGRESS = Duration.ofSeconds(5);

  /** What can be set from outside. */
  public record Settings(
      Path folder, int parallelism, Duration checkpointEvery, boolean truthKnown) {}

  private final Settings settings;
  private final PrintStream out;
  private final EmbeddedBroker broker;
  private final Pipeline pipeline;
  private final Topics topics;
  private final long startedAt = System.nanoTime();
  private LocalJob job;
  private Observer observer;
  private Progress progress;
  private long printedAt;

  private LocalRun(
      Settings settings, PrintStream out, EmbeddedBroker broker, Pipeline pipeline, Topics topics) {
    this.settings = settings;
    this.out = out;
    this.broker = broker;
    this.pipeline = pipeline;
    this.topics = topics;
  }

  /** Starts the broker and creates the topics. The job comes with {@link #startJob}. */
  public static LocalRun open(Pipeline pipeline, Settings settings, PrintStream out)
      throws Exception {
    out.println("PyTorch " + TorchEngine.selfTest());
    EmbeddedBroker broker = EmbeddedBroker.start(settings.folder().resolve("kafka"));
    Pipeline local = pipeline.withBootstrap(broker.bootstrap());
    Topics topics = new Topics(local);
    try {
      topics.create(EVENT_PARTITIONS);
    } catch (Exception e) {
      topics.close();
      broker.close();
      throw e;
    }
    out.println("Kafka at " + broker.bootstrap());
    return new LocalRun(settings, out, broker, local, topics);
  }

  /**
   * Starts the job and everything that watches it.
   *
   * @param bounded whether it ends where the topics end now
   */
  public void startJob(boolean bounded) throws Exception {
    job =
        LocalJob.start(
            pipeline,
            settings.folder(),
            settings.parallelism(),
            settings.checkpointEvery(),
            bounded);
    out.printf(
        "Flink web UI at http://127.0.0.1:%d%s%n",
        job.webPort(),
        job.webPort() == LocalJob.preferredWebPort()
            ? ""
            : " (port " + LocalJob.preferredWebPort() + " is taken)");
    if (job.restored()) {
      out.println("Going on from the newest checkpoint in " + settings.folder());
    }
    observer = new Observer(pipeline, topics);
    progress = new Progress(observer, out, settings.truthKnown());
  }

  /** The pipeline on this run's broker. */
  public Pipeline pipeline() {
    return pipeline;
  }

  public Topics topics() {
    return topics;
  }

  public LocalJob job() {
    return job;
  }

  /** Seconds since the start. */
  public double seconds() {
    return (System.nanoTime() - startedAt) / 1e9;
  }

  /** Prints progress if it is time to. */
  public void tick() throws Exception {
    if (System.nanoTime() - printedAt > PROGRESS.toNanos()) {
      printedAt = System.nanoTime();
      progress.print(seconds());
    }
  }

  /** The final figures, when everything that is committed has been seen. */
  public ObjectNode report() throws Exception {
    observer.catchUp();
    progress.print(seconds());
    return RunReport.of(observer, seconds(), settings.truthKnown());
  }

  /** The replica of a model, by its definition. */
  public ModelReplica replica(ModelDefinition model) {
    return observer.replica(model.name());
  }

  @Override
  public void close() throws Exception {
    if (observer != null) {
      observer.close();
    }
    try {
      if (job != null) {
        job.close();
      }
    } finally {
      topics.close();
      broker.close();
    }
  }
}
