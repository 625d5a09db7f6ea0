package dev.freshet.topics;

import static java.util.Objects.requireNonNull;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A listener at an address, by what it answers. Kafka's clients try again until their time is over
 * and then say only that it is over; one request, sent in the clear, finds out why at once. It is
 * the one with which a login begins (SaslHandshake), which all kinds of listeners answer
 * differently. Nothing secret is in it.
 *
 * @param kind of listener that it seems to be
 * @param mechanisms of logins that it takes, if it is {@link Kind#OTHER_LOGIN}
 * @param why reason that speaks against it, if it is none of Kafka's
 */
record Listener(Kind kind, List<String> mechanisms, String why) {

  enum Kind {
    /** Nobody is there, or answers. */
    UNREACHABLE,
    /** Something that is no broker. */
    NO_KAFKA,
    /** It hung up without a word, as brokers do that want TLS, and many others. */
    HUNG_UP,
    /** It wants TLS. */
    TLS,
    /** A broker, in the clear, without login. */
    OPEN,
    /** A broker, in the clear, that takes the login asked for. */
    LOGIN,
    /** A broker, in the clear, that takes other logins than the one asked for. */
    OTHER_LOGIN
  }

  private static final short SASL_HANDSHAKE = 17;
  private static final short VERSION = 1;
  private static final int CORRELATION = 0x46_72_65_73;
  private static final int UNSUPPORTED_MECHANISM = 33;
  private static final int ILLEGAL_SASL_STATE = 34;
  private static final int LARGEST_ANSWER = 1 << 16;
  private static final int TLS_ALERT = 0x15;
  private static final int TLS_HANDSHAKE = 0x16;

  /**
   * Asks.
   *
   * @param mechanism of the login that is wanted, or any
   */
  static Listener at(String host, int port, String mechanism, Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
    Listener last = null;
    try {
      for (InetAddress address : InetAddress.getAllByName(host)) {
        last = at(new InetSocketAddress(address, port), mechanism, deadline);
        if (last.kind != Kind.UNREACHABLE) {
          return last;
        }
      }
      return requireNonNull(last, "a name has at least one address");
    } catch (UnknownHostException e) {
      return unreachable("the name cannot be resolved");
    }
  }

  private static Listener at(InetSocketAddress address, String mechanism, long deadline) {
    try (Socket socket = new Socket()) {
      try {
        socket.connect(address, left(deadline));
      } catch (SocketTimeoutException e) {
        return unreachable("timed out");
      } catch (IOException e) {
        return unreachable(
            e.getMessage() == null ? "no connection" : e.getMessage().toLowerCase(Locale.ROOT));
      }
      return ask(socket, mechanism, deadline);
    } catch (EOFException e) {
      return new Listener(Kind.HUNG_UP, List.of(), "it closes the connection");
    } catch (SocketTimeoutException e) {
      return unreachable("it takes connections and does not answer");
    } catch (IOException e) {
      return new Listener(Kind.HUNG_UP, List.of(), "it breaks the connection off");
    }
  }

  private static Listener ask(Socket socket, String mechanism, long deadline) throws IOException {
    ByteArrayOutputStream request = new ByteArrayOutputStream();
    DataOutputStream body = new DataOutputStream(request);
    body.writeShort(SASL_HANDSHAKE);
    body.writeShort(VERSION);
    body.writeInt(CORRELATION);
    text(body, "freshet");
    text(body, mechanism);
    DataOutputStream out = new DataOutputStream(socket.getOutputStream());
    out.writeInt(request.size());
    request.writeTo(out);
    out.flush();
    socket.setSoTimeout(left(deadline));
    DataInputStream in = new DataInputStream(socket.getInputStream());
    int size = in.readInt();
    int first = size >>> 24;
    if (first == TLS_ALERT || first == TLS_HANDSHAKE) {
      return new Listener(Kind.TLS, List.of(), "");
    }
    if (size < 6 || size > LARGEST_ANSWER || in.readInt() != CORRELATION) {
      return new Listener(Kind.NO_KAFKA, List.of(), "its answer is not a Kafka broker's");
    }
    return switch (in.readShort()) {
      case 0 -> new Listener(Kind.LOGIN, List.of(), "");
      case UNSUPPORTED_MECHANISM -> new Listener(Kind.OTHER_LOGIN, texts(in), "");
      case ILLEGAL_SASL_STATE -> new Listener(Kind.OPEN, List.of(), "");
      default -> new Listener(Kind.HUNG_UP, List.of(), "it does not know the request");
    };
  }

  private static void text(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeShort(bytes.length);
    out.write(bytes);
  }

  private static List<String> texts(DataInputStream in) throws IOException {
    List<String> texts = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      texts.add(new String(in.readNBytes(in.readShort()), StandardCharsets.UTF_8));
    }
    return texts.stream().sorted().toList();
  }

  private static Listener unreachable(String why) {
    return new Listener(Kind.UNREACHABLE, List.of(), why);
  }

  private static int left(long deadline) {
    return (int) Math.max(1, (deadline - System.nanoTime()) / 1_000_000);
  }
}
