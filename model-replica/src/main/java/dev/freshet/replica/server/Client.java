package dev.freshet.replica.server;

import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.conduits.AbstractStreamSinkConduit;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.Conduits;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;

/**
 * One connection: what is waited for on it and since when. It looks at the bytes below Undertow,
 * because a deadline that counts from the first byte, an answer to half a request, and the answers
 * that Undertow gives by itself are to be had nowhere else.
 */
final class Client {

  /** Stages of a connection, by what it waits for. */
  enum Stage {
    /** The first byte of a request. */
    IDLE,
    /** The rest of its head. */
    HEAD,
    /** The rest of its body. */
    BODY,
    /** Us. */
    WORK,
    /** That the client takes the answer. */
    ANSWER,
    /** That the client hangs up. */
    CLOSING;

    /** True if it is the client that lets us wait. */
    boolean isTheClients() {
      return this != WORK;
    }
  }

  /** Time for a client to read why it is sent away. */
  private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final String UNREAD = "unread";
  private static final int STATUS_LINE = "HTTP/1.1 ".length();

  private final StreamConnection connection;
  private final ServerMetrics metrics;
  private final StreamSinkConduit raw;
  private final StreamSourceConduit rawSource;
  private Stage stage = Stage.IDLE;
  private long since = System.nanoTime();
  private long begun;
  private @Nullable Call call;

  private Client(StreamConnection connection, ServerMetrics metrics) {
    this.connection = connection;
    this.metrics = metrics;
    raw = connection.getSinkChannel().getConduit();
    rawSource = connection.getSourceChannel().getConduit();
    connection.getSinkChannel().setConduit(new Sink(raw));
    connection.getSourceChannel().setConduit(new Source(rawSource));
  }

  /** Watches a connection that has just been accepted. */
  static Client watch(StreamConnection connection, ServerMetrics metrics) {
    return new Client(connection, metrics);
  }

  boolean isOpen() {
    return connection.isOpen();
  }

  synchronized Stage stage() {
    return stage;
  }

  /** When the client began to let us wait, or the request that is at work; nanoseconds. */
  synchronized long since() {
    return since;
  }

  /** True if more than {@code nanos} have passed since the first byte, or in idleness. */
  synchronized boolean isLate(long nanos) {
    return switch (stage) {
      case IDLE -> System.nanoTime() - since > nanos;
      case CLOSING -> System.nanoTime() - since > LINGER_NANOS;
      default -> System.nanoTime() - begun > nanos;
    };
  }

  /** Bytes have come. */
  private synchronized void received() {
    if (stage == Stage.IDLE) {
      go(Stage.HEAD);
      begun = since;
    }
  }

  /** The head of a request has come. */
  synchronized void begin(Call next) {
    received(); // they may have come with the request before
    call = next;
    go(Stage.BODY);
  }

  /** All of the request has come. */
  synchronized void arrived() {
    go(Stage.WORK);
  }

  /** The answer is on its way. */
  synchronized void answering() {
    go(Stage.ANSWER);
  }

  /** The answer is out, or the client gone. */
  synchronized void end() {
    call = null;
    if (stage != Stage.CLOSING) {
      go(Stage.IDLE);
    }
  }

  private void go(Stage next) {
    if (stage != Stage.CLOSING) {
      stage = next;
      since = System.nanoTime();
    }
  }

  private synchronized @Nullable Call call() {
    return call;
  }

  /**
   * Answers what has come of a request, unless an answer is on its way, and closes the connection
   * either way. What is still to come is not waited for.
   *
   * @param reason why, as in metrics
   */
  void giveUp(String reason, Refused why) {
    Call of = call();
    if (of != null && !of.take()) {
      hangUp(reason);
      return;
    }
    metrics.closed(reason);
    refuse(of == null ? UNREAD : of.path(), why);
  }

  /** Answers half a request, which only its caller may do, and closes the connection. */
  void refuse(String path, Refused why) {
    metrics.answered(path, why.status());
    synchronized (this) {
      go(Stage.CLOSING);
    }
    onIoThread(() -> sayAndWait(why));
  }

  /** A client that still sends would not read what it is told if it were closed at once. */
  private void sayAndWait(Refused why) {
    try {
      connection.getSinkChannel().suspendWrites();
      say(why);
      raw.terminateWrites();
      raw.flush();
      ConduitStreamSourceChannel rest = connection.getSourceChannel();
      rest.setConduit(rawSource);
      rest.setReadListener(this::discard);
      rest.resumeReads();
    } catch (IOException e) {
      IoUtils.safeClose(connection);
    }
  }

  private void discard(ConduitStreamSourceChannel from) {
    ByteBuffer some = ByteBuffer.allocate(1 << 12);
    try {
      if (from.read(some) < 0) {
        IoUtils.safeClose(connection);
      }
    } catch (IOException e) {
      IoUtils.safeClose(connection);
    }
  }

  /** Closes the connection without a word. */
  void hangUp(String reason) {
    metrics.closed(reason);
    close();
  }

  void close() {
    synchronized (this) {
      go(Stage.CLOSING);
    }
    onIoThread(() -> IoUtils.safeClose(connection));
  }

  /** Has it done by the thread of the connection, which is closed if the server goes down. */
  void onIoThread(Runnable action) {
    try {
      connection.getIoThread().execute(action);
    } catch (RejectedExecutionException e) {
      IoUtils.safeClose(connection); // the server goes down
    }
  }

  /** Nothing has been written since the last answer, so that this fits the socket's buffer. */
  private void say(Refused why) throws IOException {
    byte[] body = Call.error(why);
    String head =
        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
            .formatted(why.status(), StatusCodes.getReason(why.status()), Call.JSON, body.length);
    ByteBuffer bytes = ByteBuffer.allocate(head.length() + body.length);
    bytes.put(head.getBytes(StandardCharsets.US_ASCII)).put(body).flip();
    while (bytes.hasRemaining() && raw.write(bytes) > 0) {
      continue;
    }
  }

  /** Notes the first byte of a request. */
  private final class Source extends AbstractStreamSourceConduit<StreamSourceConduit> {
    Source(StreamSourceConduit next) {
      super(next);
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
      int count = super.read(into);
      if (count > 0) {
        received();
      }
      return count;
    }

    @Override
    public long read(ByteBuffer[] into, int from, int length) throws IOException {
      long count = super.read(into, from, length);
      if (count > 0) {
        received();
      }
      return count;
    }
  }

  /**
   * Puts our answer in the place of one that Undertow gives before a handler is asked, and lets
   * nothing out after an answer of ours to half a request.
   */
  private final class Sink extends AbstractStreamSinkConduit<StreamSinkConduit> {
    Sink(StreamSinkConduit next) {
      super(next);
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
      return mayWrite(from) ? super.write(from) : 0;
    }

    @Override
    public long write(ByteBuffer[] from, int offset, int length) throws IOException {
      return mayWrite(from[offset]) ? super.write(from, offset, length) : 0;
    }

    @Override
    public int writeFinal(ByteBuffer from) throws IOException {
      return Conduits.writeFinalBasic(this, from);
    }

    @Override
    public long writeFinal(ByteBuffer[] from, int offset, int length) throws IOException {
      return Conduits.writeFinalBasic(this, from, offset, length);
    }

    private boolean mayWrite(ByteBuffer from) {
      Stage now = stage();
      if (call() == null && now != Stage.CLOSING) {
        refuse(UNREAD, new Refused(status(from), "the request is not valid HTTP"));
        return false;
      }
      return now != Stage.CLOSING;
    }

    private int status(ByteBuffer from) {
      byte[] code = new byte[3];
      if (from.remaining() < STATUS_LINE + code.length) {
        return Refused.BAD_REQUEST;
      }
      from.get(from.position() + STATUS_LINE, code);
      String digits = new String(code, StandardCharsets.US_ASCII);
      return digits.matches("[45]\\d\\d") ? Integer.parseInt(digits) : Refused.BAD_REQUEST;
    }
  }
}
