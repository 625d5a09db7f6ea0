package dev.freshet.server;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.ByteSize;
import dev.freshet.core.settings.InvalidValueException;
import dev.freshet.replica.ReplicaSettings;
import dev.freshet.replica.server.Limits;
import dev.freshet.replica.server.Readiness;
import dev.freshet.replica.server.ScoringServer;
import dev.freshet.replica.server.ServerSettings;
import dev.freshet.replica.server.Token;
import dev.freshet.server.options.DurationConverter;
import dev.freshet.server.options.PathOption;
import dev.freshet.server.options.TopicOptions;
import dev.freshet.server.options.Usage;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
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
public final class ServeCommand implements Callable<Integer> {

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
      names = "--max-connections",
      paramLabel = "N",
      defaultValue = "1024",
      description =
          "Open connections; beyond it the one that has kept the server waiting longest is closed for"
              + " the newest. Default: ${DEFAULT-VALUE}.")
  private int connections;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      defaultValue = "30s",
      converter = DurationConverter.class,
      description =
          "For a request from its first byte to the last one of its answer, and for idle connections."
              + " Default: ${DEFAULT-VALUE}.")
  private Duration timeout;

  @Option(
      names = "--max-lag",
      paramLabel = "TIME",
      defaultValue = "30s",
      converter = DurationConverter.class,
      description =
          "Not ready if the topic was last known to be read to its end so long ago, as when no broker"
              + " answers. Default: ${DEFAULT-VALUE}.")
  private Duration maxLag;

  @Option(
      names = "--max-age",
      paramLabel = "TIME",
      defaultValue = "1h",
      converter = DurationConverter.class,
      description =
          "Not ready if the version in use was published so long ago, unless it is pinned."
              + " Default: ${DEFAULT-VALUE}.")
  private Duration maxAge;

  @Option(
      names = "--prefer-stale",
      description = "Ready with any version, however long ago it or the topic was read.")
  private boolean preferStale;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description =
          "File with the bearer token that pin, unpin and rollback ask for."
              + " Default: the environment's FRESHET_TOKEN; without one they are open.")
  private Path tokenFile;

  @Option(names = "--token", hidden = true, arity = "0..1", fallbackValue = "")
  private String token;

  @Option(
      names = "--state-dir",
      paramLabel = "DIR",
      description =
          "Where versions are left for the next start, which then is ready in seconds."
              + " Default: a temporary folder.")
  private Path folder;

  @Option(
      names = "--row-cache",
      paramLabel = "SIZE",
      description =
          "Keep embedding rows on disk in the state folder, for models larger than memory, and"
              + " those asked for often in a cache of SIZE. Default: all rows in memory.")
  private String rowCache;

  @Override
  public Integer call() throws Exception {
    Pipeline pipeline = topic.pipeline();
    String model = topic.model(pipeline);
    PrintWriter out = spec.commandLine().getOut();
    CountDownLatch ended = new CountDownLatch(1);
    try (ScoringServer server = ScoringServer.start(pipeline, model, settings(out))) {
      int at = server.address().getPort();
      out.printf("Model %s on http://%s:%d, described at /openapi.yaml%n", model, host, at);
      out.flush();
      ServeConsole console = new ServeConsole(out, server::notReady);
      server.replica().listen(console);
      server.replica().manifest().ifPresent(console::version);
      console.waiting(server.replica().state().waiting(), server.replica().state().detail());
      Runtime.getRuntime().addShutdownHook(new Thread(ended::countDown, "serve-end"));
      while (!ended.await(1, TimeUnit.SECONDS)) {
        console.look(server.heldBack(), server.replica().stalenessSeconds());
      }
    }
    return 0;
  }

  private ServerSettings settings(PrintWriter out) throws IOException {
    if (folder != null) {
      PathOption.folder("--state-dir", folder);
    }
    try {
      return new ServerSettings(
          host,
          port,
          new Limits(
              Math.toIntExact(ByteSize.parse(largestBody).bytes()),
              largestBatch,
              connections,
              concurrency,
              queue,
              timeout),
          new Readiness(maxLag, maxAge, preferStale),
          token(out),
          new ReplicaSettings(folder, rowCache == null ? 0 : ByteSize.parse(rowCache).bytes()));
    } catch (ArithmeticException e) {
      throw new Usage("--max-body: '" + largestBody + "'; allowed: below 2GB");
    } catch (IllegalArgumentException e) {
      throw new Usage("--" + e.getMessage());
    }
  }

  private Token token(PrintWriter out) throws IOException {
    if (token != null) {
      throw new Usage(
          "--token: on the command line everybody on this machine can read it; allowed: --token-file"
              + " or the environment's FRESHET_TOKEN");
    }
    if (tokenFile == null) {
      String variable = System.getenv("FRESHET_TOKEN");
      return variable == null ? null : token("FRESHET_TOKEN", variable);
    }
    if (!Files.isReadable(tokenFile) || Files.isDirectory(tokenFile)) {
      throw new Usage("--token-file: '" + tokenFile + "'; allowed: a file that can be read");
    }
    if (Files.getFileStore(tokenFile).supportsFileAttributeView(PosixFileAttributeView.class)
        && Files.getPosixFilePermissions(tokenFile).contains(PosixFilePermission.OTHERS_READ)) {
      out.printf("Warning: everybody on this machine can read %s; chmod 600 it%n", tokenFile);
    }
    return token("--token-file", Files.readString(tokenFile));
  }

  private static Token token(String from, String text) {
    try {
      return Token.of(text);
    } catch (InvalidValueException e) {
      throw new Usage(from + ": allowed: " + e.allowed());
    }
  }
}
