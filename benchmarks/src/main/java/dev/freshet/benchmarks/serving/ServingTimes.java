package dev.freshet.benchmarks.serving;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.benchmarks.MillionRows;
import dev.freshet.benchmarks.Rounds;
import dev.freshet.benchmarks.Table;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.broker.Topics;
import dev.freshet.replica.ReplicaSettings;
import dev.freshet.replica.server.Access;
import dev.freshet.replica.server.Limits;
import dev.freshet.replica.server.Readiness;
import dev.freshet.replica.server.ScoringServer;
import dev.freshet.replica.server.ServerSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Load on the scoring server with a model of a million rows: while its version stays; while as many
 * versions as it will take are published to a topic that it does not read, which is the floor of
 * the third; while it takes one every second, every fourth with a base; and on a plain loop around
 * the same graph. Client, server and broker have the same cores.
 */
@Command(
    name = "./benchmarks/run serving",
    mixinStandardHelpOptions = true,
    description = "Requests a second of the scoring server, and the times of its answers.")
public final class ServingTimes implements Callable<Integer> {

  @Option(
      names = "--batches",
      split = ",",
      defaultValue = "1,32,256",
      description = "Impressions in a request; by default ${DEFAULT-VALUE}.")
  private List<Integer> batches = List.of();

  @Option(names = "--peer", description = "Beside a Python loop around the same graph.")
  private boolean withPeer;

  @Option(
      names = "--rounds",
      defaultValue = "5",
      description = "Rounds, of which medians are taken; by default ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(
      names = "--turn",
      defaultValue = "4",
      description = "Seconds of each in a round; by default ${DEFAULT-VALUE}.")
  private int turn;

  @Option(names = "--json", paramLabel = "FILE", description = "Writes all figures to a file.")
  private @Nullable Path json;

  private static final int BASE_EVERY = 4;
  private static final double WARM_UP = 8;
  private static final double CLOSE = 1e-5;

  public static void main(String[] args) {
    System.exit(new CommandLine(new ServingTimes()).execute(args));
  }

  @Override
  public Integer call() throws Exception {
    if (rounds < 5 || turn < 1 || batches.stream().anyMatch(one -> one < 1 || one > 1024)) {
      throw new CommandLine.ParameterException(
          new CommandLine(this),
          "--rounds is at least 5, --turn above 0, --batches are from 1 to 1024");
    }
    try (EmbeddedBroker broker = EmbeddedBroker.start(Files.createTempDirectory("serving"))) {
      Pipeline pipeline = MillionRows.pipeline(BASE_EVERY).withBootstrap(broker.bootstrap());
      try (Topics topics = new Topics(pipeline)) {
        topics.create(1);
      }
      MillionRows trainer = new MillionRows(pipeline);
      trainer.learn();
      Limits limits = new Limits(1 << 20, 1024, 1024, 2, 100, Duration.ofSeconds(30));
      ServerSettings settings =
          new ServerSettings(
              "127.0.0.1",
              0,
              limits,
              Readiness.DEFAULT,
              Access.OPEN,
              null,
              ReplicaSettings.DEFAULT);
      try (ScoringServer server = ScoringServer.start(pipeline, "main", settings);
          ServingPeer peer = withPeer ? peer(trainer) : null) {
        trainer.publish(trainer.version());
        server.replica().awaitVersion(Duration.ofSeconds(60));
        measure(server, trainer, peer);
      }
    }
    return 0;
  }

  private static ServingPeer peer(MillionRows trainer) throws IOException {
    return new ServingPeer(
        Path.of(System.getProperty("freshet.peer.python")),
        Path.of(System.getProperty("freshet.home")),
        trainer);
  }

  private void measure(ScoringServer server, MillionRows trainer, @Nullable ServingPeer peer)
      throws Exception {
    int port = server.address().getPort();
    if (peer != null) {
      System.out.printf(
          Locale.ROOT, "The peer's scores are the server's to %.0e.%n%n", apart(port, peer.port()));
    }
    System.out.println(
        Table.head(
            List.of(
                "batch",
                "",
                "requests/s",
                "p50 ms",
                "p99 ms",
                "most ms",
                "requests: one version/it",
                "p99: it/one version",
                "p99: it/versions of others")));
    for (int batch : batches) { // what is compiled is compiled before anything counts
      new ScoringClient(port, batch).ask(WARM_UP);
      if (peer != null) {
        new ScoringClient(peer.port(), batch).ask(WARM_UP);
      }
    }
    List<Map<String, Object>> all = new ArrayList<>();
    for (int batch : batches) {
      ScoringClient ours = new ScoringClient(port, batch);
      ScoringClient theirs = peer == null ? null : new ScoringClient(peer.port(), batch);
      Rounds found = new Rounds();
      round(server, trainer, ours, theirs, new Rounds()); // does not count
      for (int round = 0; round < rounds; round++) {
        round(server, trainer, ours, theirs, found);
      }
      for (Turn kind : Turn.values()) {
        if (found.has(kind + " p50")) {
          System.out.println(Table.line(kind.line(batch, found)));
        }
      }
      all.add(Map.of("batch", batch, "by_round", found.all()));
      if (json != null) {
        new ObjectMapper()
            .writerWithDefaultPrettyPrinter()
            .writeValue(json.toFile(), Map.of("benchmark", "serving", "results", all));
      }
    }
  }

  private void round(
      ScoringServer server,
      MillionRows trainer,
      ScoringClient ours,
      @Nullable ScoringClient theirs,
      Rounds found)
      throws Exception {
    List<List<ModelRecord>> versions = new ArrayList<>();
    for (int i = 0; i < turn; i++) {
      trainer.learn();
      versions.add(trainer.version());
    }
    Turn.ONE.add(found, ours.ask(turn));
    Turn.ELSEWHERE.add(found, whilePublishing(versions, trainer::publishElsewhere, ours));
    long before = server.replica().swaps();
    Turn.TAKEN.add(found, whilePublishing(versions, trainer::publish, ours));
    long taken = server.replica().swaps() - before;
    if (taken < turn - 1) {
      throw new IllegalStateException(taken + " versions of " + turn + " were taken");
    }
    if (theirs != null) {
      Turn.PEER.add(found, theirs.ask(turn));
    }
  }

  /** One version a second. */
  private ScoringClient.Load whilePublishing(
      List<List<ModelRecord>> versions, Consumer<List<ModelRecord>> publish, ScoringClient client)
      throws Exception {
    ScheduledExecutorService publisher = Executors.newSingleThreadScheduledExecutor();
    try {
      Iterator<List<ModelRecord>> next = versions.iterator();
      Future<?> publishing =
          publisher.scheduleAtFixedRate(
              () -> {
                if (next.hasNext()) {
                  publish.accept(next.next());
                }
              },
              100,
              1000,
              TimeUnit.MILLISECONDS);
      ScoringClient.Load load = client.ask(turn);
      if (publishing.isDone()) {
        publishing.get(); // throws what it ended with
      }
      return load;
    } finally {
      publisher.shutdown();
      publisher.awaitTermination(1, TimeUnit.MINUTES);
    }
  }

  /** What is measured in a round, in this order. */
  private enum Turn {
    ONE("one version"),
    ELSEWHERE("versions of others"),
    TAKEN("versions taken"),
    PEER("peer");

    private final String title;

    Turn(String title) {
      this.title = title;
    }

    void add(Rounds rounds, ScoringClient.Load load) {
      rounds.add(this + " requests", load.perSecond());
      rounds.add(this + " p50", load.p50());
      rounds.add(this + " p99", load.p99());
      rounds.add(this + " most", load.most());
    }

    List<String> line(int batch, Rounds found) {
      return List.of(
          Integer.toString(batch),
          title,
          String.format(Locale.ROOT, "%,.0f", found.median(this + " requests")),
          format(found.median(this + " p50")),
          format(found.median(this + " p99")),
          format(found.median(this + " most")),
          format(found.ratio(ONE + " requests", this + " requests")),
          format(found.ratio(this + " p99", ONE + " p99")),
          format(found.ratio(this + " p99", ELSEWHERE + " p99")));
    }

    private static String format(double value) {
      return String.format(Locale.ROOT, "%.2f", value);
    }
  }

  /** The largest difference of a score. */
  private static double apart(int port, int peer) throws IOException, InterruptedException {
    ObjectMapper reader = new ObjectMapper();
    JsonNode ours = reader.readTree(new ScoringClient(port, 32).first()).get("scores");
    JsonNode theirs = reader.readTree(new ScoringClient(peer, 32).first()).get("scores");
    double most = 0;
    Set<Double> different = new HashSet<>();
    for (int i = 0; i < ours.size(); i++) {
      double one = ours.get(i).get("scores").get("click").asDouble();
      different.add(one);
      most = Math.max(most, Math.abs(one - theirs.get(i).get("scores").get("click").asDouble()));
    }
    if (different.size() < ours.size() / 2) {
      throw new IllegalStateException("the scores say nothing: " + different);
    }
    if (most > CLOSE) {
      throw new IllegalStateException("the peer's scores are other ones, by up to " + most);
    }
    return most;
  }
}
