package dev.freshet.replica.server;

import static java.util.Objects.requireNonNull;

import io.undertow.io.Receiver;
import io.undertow.io.Sender;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.SameThreadExecutor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One request, which is answered once, whoever comes first: a handler, or the deadline. */
final class Call {

  static final String JSON = "application/json";

  private static final Logger LOG = LoggerFactory.getLogger(Call.class);
  private static final int OK = 200;
  private static final String GZIP = "gzip";

  private final HttpServerExchange exchange;
  private final Client client;
  private final Clients clients;
  private final String path;
  private final ServerMetrics metrics;
  private final int largestBody;
  private final AtomicBoolean answered = new AtomicBoolean();
  private ByteArrayOutputStream body = new ByteArrayOutputStream();
  private byte @Nullable [] received;

  /** Makes an answer; bytes are sent as they are, anything else as JSON. */
  interface Answer {
    Object make() throws Exception;
  }

  /**
   * @param path as in metrics
   */
  Call(
      HttpServerExchange exchange,
      Client client,
      Clients clients,
      String path,
      ServerMetrics metrics,
      int largestBody) {
    this.exchange = exchange;
    this.client = client;
    this.clients = clients;
    this.path = path;
    this.metrics = metrics;
    this.largestBody = largestBody;
    client.begin(this);
    exchange.addExchangeCompleteListener(
        (done, next) -> {
          ended();
          next.proceed();
        });
  }

  private void ended() {
    if (take()) {
      metrics.closed("gone");
    }
    forgetBody();
    client.end();
  }

  String path() {
    return path;
  }

  /** True if the caller is the one who answers. */
  boolean take() {
    return answered.compareAndSet(false, true);
  }

  /** True if somebody has answered. */
  boolean isAnswered() {
    return answered.get();
  }

  static String seconds(Duration duration) {
    return duration.toMillis() / 1000.0 + " s";
  }

  /**
   * Reads the body on the connection's own thread, as it comes, then goes on there.
   *
   * @throws Refused if its head says that it cannot be read
   */
  void receive(Runnable then) throws Refused {
    String encoding = exchange.getRequestHeaders().getFirst(Headers.CONTENT_ENCODING);
    if (encoding != null && !encoding.equalsIgnoreCase(GZIP) && !encoding.equals("identity")) {
      throw new Refused(
          Refused.UNSUPPORTED, "Content-Encoding: '" + encoding + "'; allowed: gzip, identity");
    }
    if (exchange.getRequestContentLength() > largestBody) {
      throw tooLarge();
    }
    Receiver receiver = exchange.getRequestReceiver();
    receiver.receivePartialBytes(
        (from, bytes, last) -> {
          if (!isAnswered() && !append(bytes)) {
            receiver.pause();
            fail(tooLarge());
          } else if (last && !isAnswered()) {
            received = body.toByteArray();
            forgetBody();
            client.arrived();
            then.run();
          }
        },
        (from, problem) -> fail(new Refused(Refused.BAD_REQUEST, "body: it cannot be read")));
  }

  private synchronized boolean append(byte[] bytes) {
    if (body.size() + bytes.length > largestBody) {
      return false;
    }
    body.writeBytes(bytes);
    clients.unfinished(bytes.length);
    return true;
  }

  private synchronized void forgetBody() {
    clients.unfinished(-body.size());
    body = new ByteArrayOutputStream(0);
  }

  private Refused tooLarge() {
    return new Refused(Refused.TOO_LARGE, "body: allowed: up to " + largestBody + " bytes");
  }

  /** Bytes of the body that was received; of one that has to be unpacked as many as it may have. */
  int size() {
    return packed() ? largestBody : received().length;
  }

  private boolean packed() {
    String encoding = exchange.getRequestHeaders().getFirst(Headers.CONTENT_ENCODING);
    return encoding != null && encoding.equalsIgnoreCase(GZIP);
  }

  private byte[] received() {
    return requireNonNull(received, "the body has come whole");
  }

  /**
   * The body that was received, unpacked.
   *
   * @throws Refused if it is no gzip, or becomes too large
   */
  byte[] body() throws Refused {
    if (!packed()) {
      return received();
    }
    try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(received()))) {
      byte[] unpacked = in.readNBytes(largestBody + 1);
      if (unpacked.length > largestBody) {
        throw tooLarge();
      }
      return unpacked;
    } catch (IOException e) {
      throw new Refused(Refused.BAD_REQUEST, "body: not gzip: " + e.getMessage());
    }
  }

  String header(HttpString name) {
    return exchange.getRequestHeaders().getFirst(name);
  }

  /** The thread of its connection. */
  Executor ioThread() {
    return exchange.getIoThread();
  }

  /** Leaves the request to somebody else, when what runs now has returned. */
  void later(Runnable start) {
    exchange.dispatch(SameThreadExecutor.INSTANCE, start);
  }

  /** Answers with JSON, unless somebody has answered. */
  void answer(Answer answer) {
    answer(JSON, answer);
  }

  /** Answers, unless somebody has. */
  void answer(String type, Answer answer) {
    if (isAnswered()) {
      return;
    }
    try {
      Object made = answer.make();
      send(OK, type, made instanceof byte[] bytes ? bytes : ScoreRequests.write(made), Map.of());
    } catch (Refused e) {
      fail(e);
    } catch (Exception e) {
      failed(e);
    }
  }

  /** Answers that it is our fault, unless somebody has answered. */
  void failed(Exception why) {
    LOG.error("{} failed", path, why);
    fail(new Refused(Refused.ERROR, "the server's log has the details"));
  }

  /** Answers with an error, unless somebody has answered; a body that is not whole is not read. */
  void fail(Refused why) {
    fail(why, Map.of());
  }

  void fail(Refused why, Map<HttpString, String> headers) {
    if (exchange.isRequestComplete()) {
      send(why.status(), JSON, error(why), headers);
    } else if (take()) {
      // Left to itself Undertow would read the rest, however much that is.
      exchange.dispatch(SameThreadExecutor.INSTANCE, () -> client.refuse(path, why));
    }
  }

  void send(int status, String type, byte[] bytes, Map<HttpString, String> headers) {
    if (!take()) {
      return;
    }
    metrics.answered(path, status);
    client.answering();
    exchange.setStatusCode(status);
    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, type);
    headers.forEach((name, value) -> exchange.getResponseHeaders().put(name, value));
    Sender sender = exchange.getResponseSender();
    if (exchange.isInIoThread()) {
      sender.send(ByteBuffer.wrap(bytes));
    } else {
      // From another thread Undertow's own would spin while that thread ends the exchange.
      client.onIoThread(() -> sender.send(ByteBuffer.wrap(bytes)));
    }
  }

  static byte[] error(Refused why) {
    try {
      return ScoreRequests.write(Map.of("error", why.getMessage()));
    } catch (IOException e) {
      throw new IllegalStateException("text is JSON", e);
    }
  }
}
