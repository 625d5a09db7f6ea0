package dev.freshet.local.commands;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.ByteSize;
import dev.freshet.replica.ReplicaSettings;
import dev.freshet.replica.server.ScoringServer;
import dev.freshet.replica.server.ServerSettings;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "serve",
    description = {
      "Follows a model and answers with its predictions over HTTP, until Ctrl-C.",
      "GET /openapi.yaml describes the calls."
    },
    mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {

  @Mixin private TopicOptions topic;
  @Spec private CommandSpec spec;

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      defaultValue = "127.0.0.1",
      description = "Address to listen on. Default: ${DEFAULT-VALUE}.")
  private String host;

  @Option(
      names = "--port",
      paramLabel = "N",
      defaultValue = "8088",
      description = "Port to listen on; 0 for any that is free. Default: ${DEFAULT-VALUE}.")
  private int port;

  @Option(
      names = "--max-body",
      paramLabel = "SIZE",
      defaultValue = "1MB",
      description = "Largest request. Default: ${DEFAULT-VALUE}.")
  private String largestBody;

  @Option(
      names = "--max-batch",
      paramLabel = "N",
      defaultValue = "1024",
      description = "Most impressions in a request. Default: ${DEFAULT-VALUE}.")
  private int largestBatch;

  @Option(
      names = "--concurrency",
      paramLabel = "N",
      defaultValue = "8",
      description = "Requests that are worked on at a time. Default: ${DEFAULT-VALUE}.")
  private int concurrency;

  @Option(
      names = "--queue",
      paramLabel = "N",
      defaultValue = "100",
      description = "Requests that wait for their turn; more get 503. Default: ${DEFAULT-VALUE}.")
  private int queue;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      defaultValue = "30s",
      converter = DurationConverter.class,
      description = "For sending a request, and for idle connections. Default: ${DEFAULT-VALUE}.")
  private Duration timeout;

  @Option(
      names = "--token",
      paramLabel = "TEXT",
      defaultValue = "${env:FRESHET_TOKEN}",
      description = {
        "Bearer token that pin, unpin and rollback ask for.",
        "Default: the environment's FRESHET_TOKEN; without one they are open."
      })
  private String token;

  @Option(
      names = "--state-dir",
      paramLabel = "DIR",
      description = {
        "Where versions are left for the next start, which then is ready in seconds.",
        "Default: a temporary folder."
      })
  private Path folder;

  @Option(
      names = "--row-cache",
      paramLabel = "SIZE",
      description = {
        "Keep embedding rows on disk in the state folder, for models larger than memory, and",
        "those asked for often in a cache of SIZE. Default: all rows in memory."
      })
  private String rowCache;

  @Override
  public Integer call() throws Exception {
    Pipeline pipeline = topic.pipeline();
    String model = topic.model(pipeline);
    PrintWriter out = spec.commandLine().getOut();
    CountDownLatch ended = new CountDownLatch(1);
    try (ScoringServer server = ScoringServer.start(pipeline, model, settings())) {
      int at = server.address().getPort();
      out.printf("Model %s on http://%s:%d, described at /openapi.yaml%n", model, host, at);
      out.flush();
      Runtime.getRuntime().addShutdownHook(new Thread(ended::countDown, "serve-end"));
      ended.await();
    }
    return 0;
  }

  private ServerSettings settings() {
    try {
      return new ServerSettings(
          host,
          port,
          ByteSize.parse(largestBody).bytes(),
          largestBatch,
          concurrency,
          queue,
          timeout,
          token == null || token.isEmpty() ? null : token,
          new ReplicaSettings(folder, rowCache == null ? 0 : ByteSize.parse(rowCache).bytes()));
    } catch (IllegalArgumentException e) {
      throw new Usage("--" + e.getMessage());
    }
  }
}
