package dev.freshet.server;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.ByteSize;
import dev.freshet.core.settings.InvalidValueException;
import dev.freshet.replica.ReplicaSettings;
import dev.freshet.replica.server.Access;
import dev.freshet.replica.server.Certificate;
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
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
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
          "File with the bearer token that all calls under /v1 ask for, pin, unpin and rollback among"
              + " them. Default: the environment's FRESHET_TOKEN; without one they are open.")
  private @Nullable Path tokenFile;

  @Option(
      names = "--score-token-file",
      paramLabel = "FILE",
      description =
          "File with another token, for clients that score and may change nothing."
              + " Default: the environment's FRESHET_SCORE_TOKEN.")
  private @Nullable Path scoreTokenFile;

  @Option(names = "--open-scores", description = "Scoring asks for no token, only changes do.")
  private boolean openScores;

  @Option(
      names = "--tls-certificate",
      paramLabel = "FILE",
      description =
          "PEM file with the server's certificate, and those that lead to its authority: serves over"
              + " https. Read anew when it changes.")
  private @Nullable Path certificate;

  @Option(
      names = "--tls-key",
      paramLabel = "FILE",
      description = "PEM file with its private key (PKCS#8).")
  private @Nullable Path key;

  @Option(names = "--token", hidden = true, arity = "0..1", fallbackValue = "")
  private @Nullable String token;

  @Option(
      names = "--state-dir",
      paramLabel = "DIR",
      description =
          "Where versions are left for the next start, which then is ready in seconds."
              + " Default: a temporary folder.")
  private @Nullable Path folder;

  @Option(
      names = "--row-cache",
      paramLabel = "SIZE",
      description =
          "Keep embedding rows on disk in the state folder, for models larger than memory, and"
              + " those asked for often in a cache of SIZE. Default: all rows in memory.")
  private @Nullable String rowCache;

  @Override
  public Integer call() throws Exception {
    Pipeline pipeline = topic.pipeline();
    String model = topic.model(pipeline);
    PrintWriter out = spec.commandLine().getOut();
    CountDownLatch ended = new CountDownLatch(1);
    try (ScoringServer server = start(pipeline, model, settings(out))) {
      int at = server.address().getPort();
      out.printf(
          "Model %s on %s://%s:%d, described at /openapi.yaml%n",
          model, certificate == null ? "http" : "https", host, at);
      out.flush();
      ServeConsole console = new ServeConsole(out, Clock.systemDefaultZone(), server::notReady);
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

  private static ScoringServer start(Pipeline pipeline, String model, ServerSettings settings)
      throws IOException {
    try {
      return ScoringServer.start(pipeline, model, settings);
    } catch (InvalidValueException e) {
      throw new Usage("--" + e.getMessage());
    }
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
          access(out),
          certificate(out),
          new ReplicaSettings(folder, rowCache == null ? 0 : ByteSize.parse(rowCache).bytes()));
    } catch (ArithmeticException e) {
      throw new Usage("--max-body: '" + largestBody + "'; allowed: below 2GB");
    } catch (IllegalArgumentException e) {
      throw new Usage("--" + e.getMessage());
    }
  }

  private Access access(PrintWriter out) throws IOException {
    if (token != null) {
      throw new Usage(
          "--token: on the command line everybody on this machine can read it; allowed: --token-file"
              + " or the environment's FRESHET_TOKEN");
    }
    Token all = token("--token-file", tokenFile, "FRESHET_TOKEN", out);
    Token scores = token("--score-token-file", scoreTokenFile, "FRESHET_SCORE_TOKEN", out);
    if (scores != null && all == null) {
      throw new Usage(
          "--score-token-file: without --token-file everybody may pin and roll back; allowed: both");
    }
    if (scores != null && openScores) {
      throw new Usage("--open-scores: there is a token for scores; allowed: one of the two");
    }
    return new Access(all, scores, openScores);
  }

  private @Nullable Certificate certificate(PrintWriter out) throws IOException {
    if (certificate == null && key == null) {
      return null;
    }
    if (certificate == null || key == null) {
      throw new Usage("--tls-certificate, --tls-key: allowed: both or none");
    }
    readable("--tls-certificate", certificate);
    secret("--tls-key", key, out);
    return new Certificate(certificate, key);
  }

  private static void readable(String option, Path file) {
    if (!Files.isReadable(file) || Files.isDirectory(file)) {
      throw new Usage(option + ": '" + file + "'; allowed: a file that can be read");
    }
  }

  private static void secret(String option, Path file, PrintWriter out) throws IOException {
    readable(option, file);
    if (Files.getFileStore(file).supportsFileAttributeView(PosixFileAttributeView.class)
        && Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
      out.printf("Warning: everybody on this machine can read %s; chmod 600 it%n", file);
    }
  }

  private static @Nullable Token token(
      String option, @Nullable Path file, String variable, PrintWriter out) throws IOException {
    if (file == null) {
      String value = System.getenv(variable);
      return value == null ? null : token(variable, value);
    }
    secret(option, file, out);
    return token(option, Files.readString(file));
  }

  private static Token token(String from, String text) {
    try {
      return Token.of(text);
    } catch (InvalidValueException e) {
      throw new Usage(from + ": allowed: " + e.allowed());
    }
  }
}
