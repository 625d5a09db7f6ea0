package dev.freshet.replica.server;

import static java.util.Objects.requireNonNull;
import static java.util.Objects.requireNonNullElse;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.core.events.Impression;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.replica.ModelReplica;
import dev.freshet.replica.RefusalReason;
import io.undertow.UndertowOptions;
import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.undertow.server.DefaultByteBufferPool;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.handlers.HttpContinueReadHandler;
import io.undertow.server.protocol.http.HttpOpenListener;
import io.undertow.util.Headers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.xnio.ChannelListener;
import org.xnio.ChannelListeners;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioWorker;
import org.xnio.channels.AcceptingChannel;

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
  private static final int BUFFER = 16 << 10;
  private static final int BACKLOG = 1000;
  private static final long GOODBYE_SECONDS = 5;

  private final String model;
  private final ModelReplica replica;
  private final GateWatch gate;
  private final ServerSettings settings;
  private final Clock clock;
  private final ScoreRequests requests;
  private final ServerMetrics metrics;
  private final Clients clients;
  private final ExecutorService scoring;
  private final Semaphore places;
  private final Map<String, Map<String, Route>> routes = new LinkedHashMap<>();
  private @Nullable XnioWorker worker;
  private @Nullable AcceptingChannel<? extends StreamConnection> listening;
  private @Nullable CertificateWatch certificates;

  /** What is done with a request when it has come whole; runs on its connection's thread. */
  private interface Action {
    void go(Call call) throws Refused;
  }

  /** Which token a call asks for, if there is one. */
  private enum Guard {
    NONE,
    SCORES,
    CHANGES
  }

  private record Route(Guard guard, Action action) {}

  private ScoringServer(
      Pipeline pipeline, String model, ModelReplica replica, ServerSettings settings, Clock clock) {
    this.model = model;
    this.replica = replica;
    this.settings = settings;
    this.clock = clock;
    gate = new GateWatch(pipeline, model);
    requests = new ScoreRequests(pipeline, settings.limits().largestBatch(), clock);
    metrics = new ServerMetrics(replica, gate, requests.fieldCounts());
    clients = new Clients(settings.limits(), metrics);
    places = new Semaphore(settings.limits().atWork());
    AtomicInteger number = new AtomicInteger();
    scoring =
        Executors.newFixedThreadPool(
            settings.limits().concurrency(),
            task -> {
              Thread thread = new Thread(task, "scoring-" + number.getAndIncrement());
              thread.setDaemon(true);
              return thread;
            });
    route("POST", SCORE, Guard.SCORES, this::score);
    route("GET", MODEL, Guard.SCORES, call -> call.answer(this::describe));
    route("POST", PIN, Guard.CHANGES, this::pin);
    route("DELETE", PIN, Guard.CHANGES, this::unpin);
    route("POST", ROLL_BACK, Guard.CHANGES, this::rollBack);
    route("GET", LIVE, Guard.NONE, call -> call.answer(() -> Map.of("status", "live")));
    route("GET", READY, Guard.NONE, call -> call.answer(this::ready));
    route(
        "GET", METRICS, Guard.NONE, call -> call.answer(ServerMetrics.CONTENT_TYPE, this::scrape));
    route(
        "GET",
        OPEN_API,
        Guard.NONE,
        call -> call.answer("application/yaml", ScoringServer::openApi));
  }

  private void route(String method, String path, Guard guard, Action action) {
    routes.computeIfAbsent(path, p -> new LinkedHashMap<>()).put(method, new Route(guard, action));
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
      server.listen();
    } catch (IOException | RuntimeException e) {
      server.close();
      throw new IOException(
          "cannot listen on " + settings.host() + ":" + settings.port() + ": " + e.getMessage(), e);
    }
    return server;
  }

  /** As Undertow's own builder does, but that every connection passes through our hands first. */
  private void listen() throws IOException {
    worker =
        Xnio.getInstance(HttpOpenListener.class.getClassLoader())
            .createWorker(
                OptionMap.builder()
                    .set(Options.WORKER_NAME, "scoring-http")
                    .set(
                        Options.WORKER_IO_THREADS,
                        Math.max(2, Runtime.getRuntime().availableProcessors()))
                    .set(Options.WORKER_TASK_CORE_THREADS, 1)
                    .set(Options.WORKER_TASK_MAX_THREADS, 1)
                    .set(Options.TCP_NODELAY, true)
                    .set(Options.THREAD_DAEMON, true)
                    .getMap());
    HttpOpenListener http =
        new HttpOpenListener(
            new DefaultByteBufferPool(true, BUFFER, -1, 4),
            OptionMap.create(UndertowOptions.MAX_ENTITY_SIZE, -1L)); // Call looks to that
    http.setRootHandler(new HttpContinueReadHandler(this::handle));
    InetSocketAddress address = new InetSocketAddress(settings.host(), settings.port());
    OptionMap options =
        OptionMap.builder()
            .set(Options.TCP_NODELAY, true)
            .set(Options.REUSE_ADDRESSES, true)
            .set(Options.BACKLOG, BACKLOG)
            .getMap();
    if (settings.certificate() == null) {
      listening = worker.createStreamConnectionServer(address, accepting(http), options);
    } else {
      CertificateWatch watch = new CertificateWatch(settings.certificate());
      UndertowXnioSsl tls = new UndertowXnioSsl(worker.getXnio(), OptionMap.EMPTY, watch.context());
      certificates = watch;
      listening = tls.createSslConnectionServer(worker, address, accepting(http), options);
      watch.start(tls::updateSSLContext);
    }
    listening.resumeAccepts();
  }

  private <C extends StreamConnection> ChannelListener<AcceptingChannel<C>> accepting(
      HttpOpenListener http) {
    return ChannelListeners.openListenerAdapter(
        connection -> {
          clients.opened(connection);
          http.handleEvent(connection);
        });
  }

  /** The head of a request has come; on its connection's thread, which must not wait here. */
  private void handle(HttpServerExchange exchange) {
    Client client = clients.of(exchange);
    if (client == null) {
      IoUtils.safeClose(exchange.getConnection()); // displaced a moment ago
      return;
    }
    Map<String, Route> methods = routes.get(exchange.getRequestPath());
    Call call =
        new Call(
            exchange,
            client,
            clients,
            methods == null ? OTHER : exchange.getRequestPath(),
            metrics,
            settings.limits().largestBody());
    if (methods == null) {
      call.fail(
          new Refused(Refused.NOT_FOUND, "path: allowed: " + String.join(", ", routes.keySet())));
      return;
    }
    String method = exchange.getRequestMethod().toString();
    Route route = methods.get(method.equals("HEAD") ? "GET" : method);
    if (route == null) {
      String allowed = String.join(", ", new TreeSet<>(methods.keySet()));
      call.fail(
          new Refused(Refused.NOT_ALLOWED, "method: '" + method + "'; allowed: " + allowed),
          Map.of(Headers.ALLOW, allowed));
      return;
    }
    try {
      authorize(route.guard(), call);
      call.receive(() -> go(route.action(), call));
    } catch (Refused e) {
      call.fail(e);
    }
  }

  private static void go(Action action, Call call) {
    try {
      action.go(call);
    } catch (Refused e) {
      call.fail(e);
    } catch (RuntimeException e) {
      call.failed(e);
    }
  }

  private void score(Call call) throws Refused {
    if (!places.tryAcquire()) {
      throw new Refused(
          Refused.UNAVAILABLE,
          "busy: "
              + settings.limits().concurrency()
              + " requests are at work and "
              + settings.limits().queue()
              + " wait");
    }
    call.later(
        () ->
            scoring.execute(
                () -> {
                  try {
                    call.answer(() -> scores(call));
                  } finally {
                    places.release();
                  }
                }));
  }

  private Object scores(Call call) throws IOException, Refused {
    long start = System.nanoTime();
    JsonNode request = ScoreRequests.object(call.body());
    List<Impression> impressions = requests.impressions(request);
    if (replica.manifest().isEmpty()) {
      throw new Refused(Refused.UNAVAILABLE, "model " + model + " has no version yet");
    }
    byte[] answer = requests.answer(model, request, impressions, replica.predict(impressions));
    metrics.scored(System.nanoTime() - start);
    return answer;
  }

  private Object describe() throws IOException {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("model", model);
    Optional<Manifest> manifest = replica.manifest();
    all.put("version", manifest.map(Manifest::version).orElse(null));
    all.put("stalenessSeconds", orNull(replica.stalenessSeconds()));
    all.put("lagSeconds", orNull(replica.lagSeconds()));
    all.put("waitingFor", replica.state().waiting().label());
    all.put("waiting", replica.state().detail());
    all.put("newestEventAgeSeconds", orNull(replica.newestEventAgeSeconds()));
    all.put("pinned", replica.pinned().orElse(null));
    all.put("versionsTaken", replica.swaps());
    Map<String, Long> refused = new LinkedHashMap<>();
    for (RefusalReason reason : RefusalReason.values()) {
      refused.put(reason.label(), replica.refused().getOrDefault(reason, 0L));
    }
    all.put("versionsRefused", refused);
    all.put("heldBack", heldBack().map(this::describe).orElse(null));
    if (manifest.isPresent()) {
      all.put("manifest", ScoreRequests.manifest(manifest.get().toJson()));
    }
    return all;
  }

  private Map<String, Object> describe(HeldBack held) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("versions", held.versions());
    all.put("step", held.step());
    all.put("reason", held.reason());
    all.put("detail", held.detail());
    all.put("toldSecondsAgo", (clock.millis() - held.toldAt()) / 1000.0);
    return all;
  }

  private static @Nullable Double orNull(double seconds) {
    return ScoreRequests.finite(seconds);
  }

  private void pin(Call call) throws Refused {
    JsonNode version = ScoreRequests.object(call.body()).path("version");
    if (!version.isTextual()) {
      throw new Refused(
          Refused.BAD_REQUEST, "version: '" + version.asText() + "'; allowed: run-step, as text");
    }
    describeOnce(replica.pin(version.asText()), call);
  }

  private void unpin(Call call) {
    replica.unpin();
    call.answer(this::describe);
  }

  private void rollBack(Call call) throws Refused {
    try {
      describeOnce(replica.rollBack(), call);
    } catch (IllegalStateException e) {
      throw new Refused(Refused.CONFLICT, requireNonNullElse(e.getMessage(), e.toString()));
    }
  }

  /** Answers when a version is held; nothing waits for that but the client. */
  private void describeOnce(CompletableFuture<Manifest> held, Call call) {
    call.later(
        () ->
            held.whenCompleteAsync(
                (manifest, problem) -> {
                  if (problem == null) {
                    call.answer(this::describe);
                  } else {
                    String why = problem.getMessage();
                    call.fail(
                        new Refused(
                            Refused.CONFLICT, why == null ? "another call came after it" : why));
                  }
                },
                call.ioThread()));
  }

  private void authorize(Guard guard, Call call) throws Refused {
    String header = call.header(Headers.AUTHORIZATION);
    boolean may =
        switch (guard) {
          case NONE -> true;
          case SCORES -> settings.access().mayScore(header);
          case CHANGES -> settings.access().mayChange(header);
        };
    if (!may) {
      throw new Refused(
          Refused.UNAUTHORIZED, "Authorization: allowed: Bearer and the server's token");
    }
  }

  private Object ready() throws Refused {
    Optional<String> notReady = notReady();
    if (notReady.isPresent()) {
      throw new Refused(Refused.UNAVAILABLE, notReady.get());
    }
    return Map.of(
        "status", "ready", "version", replica.manifest().map(Manifest::version).orElse(""));
  }

  /** Why the server is not ready; empty if it is. */
  public Optional<String> notReady() {
    if (replica.failure().isPresent()) {
      return Optional.of("following ended: " + replica.failure().get().getMessage());
    }
    String waiting = replica.state().detail();
    Optional<Manifest> manifest = replica.manifest();
    if (manifest.isEmpty()) {
      return Optional.of("no version has arrived yet; " + waiting + heldBackToo());
    }
    String version = "version " + manifest.get().version();
    Readiness readiness = settings.readiness();
    double lag = replica.lagSeconds();
    if (readiness.preferStale()) {
      return Optional.empty();
    }
    if (Double.isNaN(lag)) {
      return Optional.of(version + "; the topic is still being read; " + waiting);
    }
    if (lag > seconds(readiness.maxLag())) {
      return Optional.of(
          "%s; the topic was last read to its end %.0f s ago; %s".formatted(version, lag, waiting));
    }
    double age = replica.stalenessSeconds();
    if (replica.pinned().isEmpty() && age > seconds(readiness.maxAge())) {
      return Optional.of(
          "%s was published %.0f s ago; allowed: %.0f s%s"
              .formatted(version, age, seconds(readiness.maxAge()), heldBackToo()));
    }
    return Optional.empty();
  }

  /** What the job has held back since its newest version, as far as that is known. */
  public Optional<HeldBack> heldBack() {
    return gate.heldBack();
  }

  private String heldBackToo() {
    return heldBack().map(held -> "; " + held).orElse("");
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / 1000.0;
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
    return requireNonNull(listening).getLocalAddress(InetSocketAddress.class);
  }

  /** The replica behind it. */
  public ModelReplica replica() {
    return replica;
  }

  /** Takes no more connections, finishes what is at work, and stops. */
  @Override
  public void close() {
    IoUtils.safeClose(listening);
    if (certificates != null) {
      certificates.close();
    }
    scoring.shutdown();
    try {
      scoring.awaitTermination(GOODBYE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    scoring.shutdownNow();
    clients.close();
    if (worker != null) {
      worker.shutdown();
    }
    gate.close();
    replica.close();
  }
}
