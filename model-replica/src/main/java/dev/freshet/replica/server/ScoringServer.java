package dev.freshet.replica.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.Impression;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.publishing.Manifest;
import dev.freshet.replica.ModelReplica;
import dev.freshet.replica.RefusalReason;
import io.undertow.Handlers;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.RequestTooBigException;
import io.undertow.server.RoutingHandler;
import io.undertow.server.handlers.BlockingHandler;
import io.undertow.server.handlers.RequestLimitingHandler;
import io.undertow.util.Headers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers with predictions of the newest version over HTTP. {@code /openapi.yaml} describes every
 * call. Bad input is answered with the field at fault; what is too much is refused at once, so that
 * the rest is answered in time.
 */
public final class ScoringServer implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ScoringServer.class);

  private static final int OK = 200;
  private static final int BAD_REQUEST = 400;
  private static final int UNAUTHORIZED = 401;
  private static final int CONFLICT = 409;
  private static final int TOO_LARGE = 413;
  private static final int ERROR = 500;
  private static final int UNAVAILABLE = 503;
  private static final int IN_TIME = 504;
  private static final int PIN_SECONDS = 60;
  private static final String JSON = "application/json";
  private static final String BEARER = "Bearer ";

  private final String model;
  private final ModelReplica replica;
  private final ServerSettings settings;
  private final ScoreRequests requests;
  private final ServerMetrics metrics;
  private final Undertow server;

  private ScoringServer(
      Pipeline pipeline, String model, ModelReplica replica, ServerSettings settings) {
    this.model = model;
    this.replica = replica;
    this.settings = settings;
    requests = new ScoreRequests(pipeline, settings.largestBatch());
    metrics = new ServerMetrics(replica);
    int timeout = Math.toIntExact(settings.timeout().toMillis());
    server =
        Undertow.builder()
            .addHttpListener(settings.port(), settings.host())
            .setServerOption(UndertowOptions.MAX_ENTITY_SIZE, settings.largestBody())
            .setServerOption(UndertowOptions.REQUEST_PARSE_TIMEOUT, timeout)
            .setServerOption(UndertowOptions.NO_REQUEST_TIMEOUT, timeout)
            .setServerOption(UndertowOptions.IDLE_TIMEOUT, timeout)
            .setWorkerThreads(settings.concurrency() + 2)
            .setHandler(routes())
            .build();
  }

  /**
   * Follows a model and begins to answer.
   *
   * @throws IOException if the address cannot be listened on
   */
  public static ScoringServer start(Pipeline pipeline, String model, ServerSettings settings)
      throws IOException {
    ModelReplica replica = ModelReplica.follow(pipeline, model, settings.replica());
    ScoringServer server = new ScoringServer(pipeline, model, replica, settings);
    try {
      server.server.start();
    } catch (RuntimeException e) {
      replica.close();
      throw new IOException(
          "cannot listen on " + settings.host() + ":" + settings.port() + ": " + e.getMessage(), e);
    }
    return server;
  }

  private HttpHandler routes() {
    RoutingHandler scoring =
        Handlers.routing()
            .post("/v1/score", call("/v1/score", this::score))
            .get("/v1/model", call("/v1/model", exchange -> describe()))
            .post("/v1/model/pin", call("/v1/model/pin", this::pin))
            .delete("/v1/model/pin", call("/v1/model/pin", this::unpin))
            .post("/v1/model/rollback", call("/v1/model/rollback", this::rollBack));
    // Health and metrics answer even when scoring has no room left.
    return Handlers.routing()
        .get("/health/live", call("/health/live", exchange -> Map.of("status", "live")))
        .get("/health/ready", call("/health/ready", exchange -> ready()))
        .get("/metrics", new BlockingHandler(this::metrics))
        .get("/openapi.yaml", new BlockingHandler(ScoringServer::openApi))
        .setFallbackHandler(
            new RequestLimitingHandler(settings.concurrency(), settings.queue(), scoring));
  }

  /** What a call answers; bytes are sent as they are, anything else as JSON. */
  private interface Answer {
    Object to(HttpServerExchange exchange) throws Exception;
  }

  private HttpHandler call(String path, Answer answer) {
    return new BlockingHandler(exchange -> respond(path, answer, exchange));
  }

  private void respond(String path, Answer answer, HttpServerExchange exchange) throws IOException {
    int status = OK;
    Object body;
    try {
      body = answer.to(exchange);
    } catch (BadRequest e) {
      status = e.status();
      body = Map.of("error", e.getMessage());
    } catch (RequestTooBigException e) {
      status = TOO_LARGE;
      body = Map.of("error", "body: allowed: up to " + settings.largestBody() + " bytes");
    } catch (Exception e) {
      LOG.error("{} failed", path, e);
      status = ERROR;
      body = Map.of("error", "the server's log has the details");
    }
    metrics.answered(path, status);
    exchange.setStatusCode(status);
    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, JSON);
    byte[] bytes = body instanceof byte[] ready ? ready : ScoreRequests.write(body);
    exchange.getResponseSender().send(ByteBuffer.wrap(bytes));
  }

  private Object score(HttpServerExchange exchange) throws IOException, BadRequest {
    long start = System.nanoTime();
    List<Impression> impressions =
        requests.impressions(ScoreRequests.object(exchange.getInputStream()));
    if (replica.manifest().isEmpty()) {
      throw new BadRequest(UNAVAILABLE, "model " + model + " has no version yet");
    }
    byte[] answer = ScoreRequests.answer(model, impressions, replica.predict(impressions));
    metrics.scored(System.nanoTime() - start);
    return answer;
  }

  private Object describe() throws IOException {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("model", model);
    Optional<Manifest> manifest = replica.manifest();
    all.put("version", manifest.map(Manifest::version).orElse(null));
    all.put("stalenessSeconds", orNull(replica.stalenessSeconds()));
    all.put("newestEventAgeSeconds", orNull(replica.newestEventAgeSeconds()));
    all.put("pinned", replica.pinned().orElse(null));
    all.put("versionsTaken", replica.swaps());
    Map<String, Long> refused = new LinkedHashMap<>();
    for (RefusalReason reason : RefusalReason.values()) {
      refused.put(reason.label(), replica.refused().getOrDefault(reason, 0L));
    }
    all.put("versionsRefused", refused);
    if (manifest.isPresent()) {
      ObjectNode json = (ObjectNode) ScoreRequests.tree(manifest.get().toJson());
      json.remove("chunks");
      all.put("manifest", json);
    }
    return all;
  }

  private static Double orNull(double seconds) {
    return Double.isNaN(seconds) ? null : seconds;
  }

  private Object pin(HttpServerExchange exchange) throws IOException, BadRequest {
    authorize(exchange);
    JsonNode version = ScoreRequests.object(exchange.getInputStream()).path("version");
    if (!version.isTextual()) {
      throw new BadRequest(
          BAD_REQUEST, "version: '" + version.asText() + "'; allowed: run-step, as text");
    }
    hold(replica.pin(version.asText()));
    return describe();
  }

  private Object unpin(HttpServerExchange exchange) throws IOException, BadRequest {
    authorize(exchange);
    replica.unpin();
    return describe();
  }

  private Object rollBack(HttpServerExchange exchange) throws IOException, BadRequest {
    authorize(exchange);
    try {
      hold(replica.rollBack());
    } catch (IllegalStateException e) {
      throw new BadRequest(CONFLICT, e.getMessage());
    }
    return describe();
  }

  private static void hold(Future<Manifest> held) throws BadRequest {
    try {
      held.get(PIN_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new BadRequest(CONFLICT, e.getCause().getMessage());
    } catch (TimeoutException e) {
      throw new BadRequest(IN_TIME, "the version did not arrive within " + PIN_SECONDS + " s");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BadRequest(UNAVAILABLE, "the server is going down");
    }
  }

  private void authorize(HttpServerExchange exchange) throws BadRequest {
    if (settings.token() == null) {
      return;
    }
    String header = exchange.getRequestHeaders().getFirst(Headers.AUTHORIZATION);
    String brought =
        header == null || !header.startsWith(BEARER) ? "" : header.substring(BEARER.length());
    // In a time that does not tell how much of it was right.
    if (!MessageDigest.isEqual(
        brought.getBytes(StandardCharsets.UTF_8),
        settings.token().getBytes(StandardCharsets.UTF_8))) {
      throw new BadRequest(UNAUTHORIZED, "Authorization: allowed: Bearer and the server's token");
    }
  }

  private Object ready() throws BadRequest {
    if (replica.failure().isPresent()) {
      throw new BadRequest(UNAVAILABLE, "following ended: " + replica.failure().get().getMessage());
    }
    String version =
        replica
            .manifest()
            .map(Manifest::version)
            .orElseThrow(() -> new BadRequest(UNAVAILABLE, "no version has arrived yet"));
    if (!replica.caughtUp()) {
      throw new BadRequest(UNAVAILABLE, "the topic is still being read, version " + version);
    }
    return Map.of("status", "ready", "version", version);
  }

  private void metrics(HttpServerExchange exchange) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    metrics.write(out);
    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, ServerMetrics.CONTENT_TYPE);
    exchange.getResponseSender().send(ByteBuffer.wrap(out.toByteArray()));
  }

  private static void openApi(HttpServerExchange exchange) throws IOException {
    try (InputStream in = ScoringServer.class.getResourceAsStream("/freshet-openapi.yaml")) {
      exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "application/yaml");
      exchange.getResponseSender().send(ByteBuffer.wrap(in.readAllBytes()));
    }
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return (InetSocketAddress) server.getListenerInfo().get(0).getAddress();
  }

  /** The replica behind it. */
  public ModelReplica replica() {
    return replica;
  }

  @Override
  public void close() {
    server.stop();
    replica.close();
  }
}
