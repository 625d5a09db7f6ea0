package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.broker.Topics;
import dev.freshet.replica.ReplicaSettings;
import dev.freshet.replica.server.Access;
import dev.freshet.replica.server.Limits;
import dev.freshet.replica.server.Readiness;
import dev.freshet.replica.server.ScoringServer;
import dev.freshet.replica.server.ServerSettings;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Clients that are slow, silent, broken or greedy, as raw sockets, beside one that is not. */
@Timeout(value = 6, unit = TimeUnit.MINUTES)
class SlowClientsITCase {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int CONNECTIONS = 24;
  private static final int BATCH = 256;
  private static final Duration SHORT = Duration.ofSeconds(1);
  private static final Duration LONG = Duration.ofMinutes(2);

  @TempDir private static Path folder;
  private static EmbeddedBroker broker;
  private static Pipeline pipeline;
  private static TestingPublisher publisher;

  private final List<AutoCloseable> open = new ArrayList<>();
  private ScoringServer server;

  @BeforeAll
  static void start() throws Exception {
    broker = EmbeddedBroker.start(folder);
    pipeline = TestingPipelines.shop().withBootstrap(broker.bootstrap());
    try (Topics admin = new Topics(pipeline)) {
      admin.create(1);
    }
    publisher = new TestingPublisher(pipeline);
    publisher.publish();
  }

  @AfterAll
  static void stop() {
    publisher.close();
    broker.close();
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable one : open) {
      one.close();
    }
    server.close();
  }

  private void serve(Duration timeout) throws Exception {
    server =
        ScoringServer.start(
            pipeline,
            "plain",
            new ServerSettings(
                "127.0.0.1",
                0,
                new Limits(1 << 16, BATCH, CONNECTIONS, 2, 4, timeout),
                Readiness.DEFAULT,
                Access.OPEN,
                null,
                ReplicaSettings.DEFAULT));
    assertThat(server.replica().awaitVersion(Duration.ofSeconds(30))).isTrue();
  }

  /** What a bad client does with its connection before it falls silent. */
  private enum Bad {
    SILENT(""),
    HALF_A_HEAD("POST /v1/score HTTP/1.1\r\nHost: x\r\nX-Half"),
    NO_BODY("POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"),
    HALF_A_BODY("POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"impre"),
    HALF_A_CHUNK(
        "POST /v1/score HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\""),
    HALF_A_PIN("POST /v1/model/pin HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"ver"),
    HALF_A_BODY_TO_NOWHERE("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"),
    NOT_READING("");

    private final byte[] bytes;

    Bad(String sent) {
      bytes = sent.getBytes(StandardCharsets.UTF_8);
    }
  }

  private void connect(Bad as) throws IOException {
    SocketChannel channel = SocketChannel.open();
    open.add(channel);
    channel.setOption(StandardSocketOptions.SO_RCVBUF, 4096);
    channel.connect(new InetSocketAddress("127.0.0.1", server.address().getPort()));
    channel.write(ByteBuffer.wrap(as.bytes));
    if (as == Bad.NOT_READING) {
      askUntilFull(channel);
    }
  }

  /** Sends requests and reads no answer, until the server takes no more. */
  private static void askUntilFull(SocketChannel channel) throws IOException {
    byte[] body = batch().getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream request = new ByteArrayOutputStream();
    request.writeBytes(
        ("POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length + "\r\n\r\n")
            .getBytes(StandardCharsets.UTF_8));
    request.writeBytes(body);
    channel.configureBlocking(false);
    ByteBuffer rest = ByteBuffer.wrap(request.toByteArray());
    int stalled = 0;
    while (stalled < 5) {
      try {
        stalled = channel.write(rest) == 0 ? stalled + 1 : 0;
        if (!rest.hasRemaining()) {
          rest.rewind();
        }
        if (stalled > 0) {
          TimeUnit.MILLISECONDS.sleep(10);
        }
      } catch (IOException displaced) {
        return;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private static String batch() {
    return "{\"impressions\":[{}" + ",{}".repeat(BATCH - 1) + "]}";
  }

  /**
   * As many as there are places to work, to wait and to be connected, and as many again; no
   * deadline comes to help.
   */
  @ParameterizedTest
  @EnumSource(Bad.class)
  void badClientsKeepNobodyWaiting(Bad kind) throws Exception {
    serve(LONG);
    for (int i = 0; i < 2 * CONNECTIONS + 6; i++) {
      connect(kind);
      if (i % CONNECTIONS == CONNECTIONS - 1) {
        aGoodClientIsAnswered(kind);
      }
    }
    aGoodClientIsAnswered(kind);
    assertThat(metric("freshet_connections")).isLessThanOrEqualTo(CONNECTIONS);
  }

  private void aGoodClientIsAnswered(Bad beside) throws Exception {
    HttpClient client = HttpClient.newHttpClient();
    HttpRequest request = request("/v1/score").POST(BodyPublishers.ofString(batch())).build();
    for (int i = 0; i < 5; i++) {
      HttpResponse<String> scored = client.send(request, BodyHandlers.ofString());
      while (beside == Bad.NOT_READING && scored.body().contains("busy")) {
        // Until their buffers are full these clients ask for real work.
        scored = client.send(request, BodyHandlers.ofString());
      }
      assertThat(scored.statusCode()).as(scored.body()).isEqualTo(200);
      assertThat(JSON.readTree(scored.body()).path("scores")).hasSize(BATCH);
    }
    for (String path : List.of("/health/live", "/health/ready", "/metrics")) {
      assertThat(get(path).statusCode()).as(path).isEqualTo(200);
    }
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(
            URI.create("http://127.0.0.1:" + server.address().getPort() + path))
        .timeout(Duration.ofSeconds(20));
  }

  private HttpResponse<String> get(String path) throws Exception {
    return HttpClient.newHttpClient().send(request(path).GET().build(), BodyHandlers.ofString());
  }

  private double metric(String name) throws Exception {
    Matcher line =
        Pattern.compile("^" + Pattern.quote(name) + " (\\S+)$", Pattern.MULTILINE)
            .matcher(get("/metrics").body());
    return line.find() ? Double.parseDouble(line.group(1)) : 0;
  }

  private double answers(String path, int status) throws Exception {
    return metric("freshet_requests_total{path=\"" + path + "\",status=\"" + status + "\"}");
  }

  private double closed(String reason) throws Exception {
    return metric("freshet_connections_closed_total{reason=\"" + reason + "\"}");
  }

  /** Everything that comes until the server closes the connection. */
  private String exchange(byte[] sent) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", server.address().getPort())) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(sent);
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (SocketTimeoutException e) {
      throw new AssertionError("the server neither answers nor closes", e);
    }
  }

  private String exchange(String sent) throws IOException {
    return exchange(sent.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static void assertRefused(String answer, int status, String why) throws IOException {
    assertThat(answer)
        .startsWith("HTTP/1.1 " + status + " ")
        .containsIgnoringCase("Content-Type: application/json");
    String body = answer.substring(answer.indexOf("\r\n\r\n") + 4);
    assertThat(JSON.readTree(body).path("error").asText()).contains(why);
  }

  @Test
  void oneDeadlineForAWholeRequest() throws Exception {
    serve(SHORT);
    assertThat(exchange(Bad.SILENT.bytes)).isEmpty();
    assertRefused(exchange(Bad.HALF_A_HEAD.bytes), 408, "within 1.0 s");
    assertRefused(exchange(Bad.HALF_A_BODY.bytes), 408, "within 1.0 s");
    assertRefused(exchange(Bad.HALF_A_CHUNK.bytes), 408, "within 1.0 s");
    assertRefused(exchange(Bad.HALF_A_PIN.bytes), 408, "within 1.0 s");
    assertRefused(exchange(Bad.HALF_A_BODY_TO_NOWHERE.bytes), 404, "/v1/score");
    assertThat(answers("unread", 408)).isEqualTo(1);
    assertThat(answers("/v1/score", 408)).isEqualTo(2);
    assertThat(answers("/v1/model/pin", 408)).isEqualTo(1);
    assertThat(answers("other", 404)).isEqualTo(1);
    assertThat(closed("idle")).isEqualTo(1);
    assertThat(closed("slow-request")).isEqualTo(4);
    connect(Bad.NOT_READING);
    while (closed("slow-answer") == 0) {
      Thread.sleep(100);
    }
  }

  /** A byte now and then does not move the deadline. */
  @Test
  void whoTricklesIsLateToo() throws Exception {
    serve(SHORT);
    try (Socket socket = new Socket("127.0.0.1", server.address().getPort())) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(Bad.HALF_A_BODY.bytes);
      while (socket.getInputStream().available() == 0) {
        socket.getOutputStream().write(' ');
        Thread.sleep(50);
      }
      byte[] answer = socket.getInputStream().readAllBytes();
      assertRefused(new String(answer, StandardCharsets.UTF_8), 408, "within 1.0 s");
    }
  }

  @Test
  void everyAnswerIsJsonAndCounted() throws Exception {
    serve(LONG);
    assertRefused(exchange("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"), 400, "not valid HTTP");
    assertRefused(exchange("GET /health/live HTTP/1.1\r\n\r\n"), 400, "not valid HTTP");
    assertRefused(
        exchange("GET / HTTP/1.1\r\nHost: x\r\nX: " + "x".repeat(2_000_000) + "\r\n\r\n"),
        400,
        "not valid HTTP");
    assertRefused(exchange(bare("POST", "/v1/score", "Content-Length: nine")), 400, "not valid");
    assertThat(answers("unread", 400)).isEqualTo(4);
    String nowhere = exchange(bare("GET", "/nowhere", "Connection: close"));
    assertRefused(nowhere, 404, "/v1/score");
    String brew = exchange(bare("BREW", "/v1/score", "Connection: close"));
    assertRefused(brew, 405, "'BREW'; allowed: POST");
    assertThat(brew).contains("Allow: POST");
    assertThat(answers("other", 404)).isEqualTo(1);
    assertThat(answers("/v1/score", 405)).isEqualTo(1);
    String head = exchange(bare("HEAD", "/health/live", "Connection: close"));
    assertThat(head).startsWith("HTTP/1.1 200").endsWith("\r\n\r\n");
    assertRefused(
        exchange(bare("POST", "/v1/score", "Content-Length: 99999999999")), 413, "up to 65536");
    assertRefused(
        exchange(
            bare("POST", "/v1/score", "Transfer-Encoding: chunked")
                + "10000\r\n"
                + "x".repeat(1 << 16)
                + "\r\n1\r\nx\r\n"),
        413,
        "up to 65536");
    assertThat(answers("/v1/score", 413)).isEqualTo(2);
  }

  private static String bare(String method, String path, String header) {
    return method + " " + path + " HTTP/1.1\r\nHost: x\r\n" + header + "\r\n\r\n";
  }

  private static byte[] zipped(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream zip = new GZIPOutputStream(out)) {
      zip.write(bytes);
    }
    return out.toByteArray();
  }

  private HttpResponse<String> encoded(String as, byte[] body) throws Exception {
    return HttpClient.newHttpClient()
        .send(
            request("/v1/score")
                .header("Content-Encoding", as)
                .POST(BodyPublishers.ofByteArray(body))
                .build(),
            BodyHandlers.ofString());
  }

  @Test
  void bodiesMayBeGzipped() throws Exception {
    serve(LONG);
    byte[] good = zipped(batch().getBytes(StandardCharsets.UTF_8));
    HttpResponse<String> scored = encoded("gzip", good);
    assertThat(scored.statusCode()).as(scored.body()).isEqualTo(200);
    byte[] bomb = zipped(new byte[50 << 20]);
    assertThat(bomb.length).isLessThan(1 << 16);
    HttpResponse<String> burst = encoded("gzip", bomb);
    assertThat(burst.statusCode()).isEqualTo(413);
    assertThat(burst.body()).contains("up to 65536 bytes");
    HttpResponse<String> cut = encoded("gzip", java.util.Arrays.copyOf(good, good.length / 2));
    assertThat(cut.statusCode()).isEqualTo(400);
    assertThat(cut.body()).contains("not gzip");
    assertThat(encoded("gzip", "{}".getBytes(StandardCharsets.UTF_8)).statusCode()).isEqualTo(400);
    HttpResponse<String> other = encoded("br", good);
    assertThat(other.statusCode()).isEqualTo(415);
    assertThat(other.body()).contains("'br'; allowed: gzip, identity");
  }

  /** Curl asks for leave before it sends much. */
  @Test
  void whoAsksWhetherToGoOnIsToldTo() throws Exception {
    serve(LONG);
    try (Socket socket = new Socket("127.0.0.1", server.address().getPort())) {
      socket.setSoTimeout(20_000);
      String body = batch();
      String head =
          bare(
              "POST", "/v1/score", "Content-Length: " + body.length() + "\r\nExpect: 100-continue");
      socket.getOutputStream().write(head.getBytes(StandardCharsets.UTF_8));
      byte[] leave = socket.getInputStream().readNBytes(25);
      assertThat(new String(leave, StandardCharsets.UTF_8))
          .isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
      socket.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
      socket.shutdownOutput(); // all said, still listening
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(answer).startsWith("HTTP/1.1 200");
    }
  }

  /** Those that have come whole and find no place are told at once; nobody is told wrong. */
  @Test
  void whatIsTooMuchIsRefusedAtOnce() throws Exception {
    serve(LONG);
    HttpClient client = HttpClient.newHttpClient();
    int busy = 0;
    while (busy == 0) {
      var sent =
          java.util.stream.IntStream.range(0, CONNECTIONS - 2)
              .mapToObj(
                  i ->
                      client.sendAsync(
                          request("/v1/score").POST(BodyPublishers.ofString(batch())).build(),
                          BodyHandlers.ofString()))
              .toList();
      for (var one : sent) {
        HttpResponse<String> answer = one.get();
        if (answer.statusCode() == 503) {
          assertThat(answer.body()).contains("busy: 2 requests are at work and 4 wait");
          busy++;
        } else {
          assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        }
      }
    }
    assertThat(answers("/v1/score", 503)).isEqualTo(busy);
  }
}
