package dev.freshet.replica.server;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.replica.ModelReplica;
import dev.freshet.replica.server.Routes.Guard;
import io.undertow.server.HttpServerExchange;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import org.xnio.IoUtils;

/**
 * Answers with predictions of the newest version over HTTP. {@code /openapi.yaml} describes every
 * call. Bad input is answered with the field at fault; what is too much is refused at once, so that
 * the rest is answered in time.
 *
 * <p>A request is read, as it comes, by the few threads that serve all connections. Only one that
 * has come whole takes one of the places to be scored, and its answer leaves these again as fast as
 * the client reads; so a client can be as slow as it likes at nobody's cost but its own.
 */
public final class ScoringServer implements AutoCloseable {

  private static final String SCORE = "/v1/score";
  private static final String MODEL = "/v1/model";
  private static final String PIN = "/v1/model/pin";
  private static final String ROLL_BACK = "/v1/model/rollback";
  private static final String LIVE = "/health/live";
  private static final String READY = "/health/ready";
  private static final String METRICS = "/metrics";
  private static final String OPEN_API = "/openapi.yaml";
  private static final String OTHER = "other";

  private final ModelReplica replica;
  private final GateWatch gate;
  private final ServerMetrics metrics;
  private final Clients clients;
  private final ScoreCalls scoring;
  private final ReadinessProbe readiness;
  private final Routes routes;
  private final int largestBody;
  private final HttpPort port;

  private ScoringServer(
      Pipeline pipeline, String model, ModelReplica replica, ServerSettings settings, Clock clock) {
    this.replica = replica;
    Limits limits = settings.limits();
    gate = new GateWatch(pipeline, model);
    ScoreRequests requests = new ScoreRequests(pipeline, limits.largestBatch(), clock);
    metrics = new ServerMetrics(replica, gate, requests.fieldCounts());
    clients = new Clients(limits, metrics);
    scoring = new ScoreCalls(model, replica, requests, metrics, limits);
    readiness = new ReadinessProbe(replica, gate, settings.readiness());
    ModelCalls models = new ModelCalls(model, replica, gate, clock);
    routes =
        new Routes(settings.access())
            .add("POST", SCORE, Guard.SCORES, scoring::score)
            .add("GET", MODEL, Guard.SCORES, call -> call.answer(models::describe))
            .add("POST", PIN, Guard.CHANGES, models::pin)
            .add("DELETE", PIN, Guard.CHANGES, models::unpin)
            .add("POST", ROLL_BACK, Guard.CHANGES, models::rollBack)
            .add("GET", LIVE, Guard.NONE, call -> call.answer(() -> Map.of("status", "live")))
            .add("GET", READY, Guard.NONE, call -> call.answer(readiness::ready))
            .add(
                "GET",
                METRICS,
                Guard.NONE,
                call -> call.answer(ServerMetrics.CONTENT_TYPE, this::scrape))
            .add(
                "GET",
                OPEN_API,
                Guard.NONE,
                call -> call.answer("application/yaml", ScoringServer::openApi));
    largestBody = limits.largestBody();
    port = new HttpPort(settings.certificate(), clients::opened, this::handle);
  }

  /**
   * Follows a model and begins to answer.
   *
   * @throws IOException if the address cannot be listened on, or the certificate not be read
   */
  public static ScoringServer start(Pipeline pipeline, String model, ServerSettings settings)
      throws IOException {
    if (settings.certificate() != null) {
      settings.certificate().context(); // in words of its own, before anything runs
    }
    Clock clock = Clock.systemUTC();
    ModelReplica replica = ModelReplica.follow(pipeline, model, settings.replica(), clock);
    ScoringServer server = new ScoringServer(pipeline, model, replica, settings, clock);
    try {
      server.port.listen(new InetSocketAddress(settings.host(), settings.port()));
    } catch (IOException | RuntimeException e) {
      server.close();
      throw new IOException(
          "cannot listen on " + settings.host() + ":" + settings.port() + ": " + e.getMessage(), e);
    }
    return server;
  }

  /** The head of a request has come; on its connection's thread, which must not wait here. */
  private void handle(HttpServerExchange exchange) {
    Client client = clients.of(exchange);
    if (client == null) {
      IoUtils.safeClose(exchange.getConnection()); // displaced a moment ago
      return;
    }
    String path = exchange.getRequestPath();
    Call call =
        new Call(exchange, client, clients, routes.known(path).orElse(OTHER), metrics, largestBody);
    routes.take(exchange.getRequestMethod().toString(), path, call);
  }

  /** Why the server is not ready; empty if it is. */
  public Optional<String> notReady() {
    return readiness.notReady();
  }

  /** The versions that the job has held back since its newest version, as far as that is known. */
  public Optional<HeldBack> heldBack() {
    return gate.heldBack();
  }

  private byte[] scrape() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    metrics.write(out);
    return out.toByteArray();
  }

  private static byte[] openApi() throws IOException {
    try (InputStream in = ScoringServer.class.getResourceAsStream("/freshet-openapi.yaml")) {
      return in.readAllBytes();
    }
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return port.address();
  }

  /** The replica behind it. */
  public ModelReplica replica() {
    return replica;
  }

  /** Takes no more connections, finishes what is at work, and stops. */
  @Override
  public void close() {
    port.stopListening();
    scoring.close();
    clients.close();
    port.close();
    gate.close();
    replica.close();
  }
}
