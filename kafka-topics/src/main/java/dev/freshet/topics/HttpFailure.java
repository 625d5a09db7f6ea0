package dev.freshet.topics;

import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.UnresolvedAddressException;
import java.util.Locale;
import javax.net.ssl.SSLException;

/**
 * Says in words why an address gave no answer. Java's client tells it by the names of exceptions
 * alone.
 */
public final class HttpFailure {

  private HttpFailure() {}

  /** Why, as half a sentence of one line. */
  public static String why(IOException failure) {
    if (isCausedBy(failure, UnresolvedAddressException.class)) {
      return "the name cannot be resolved";
    }
    String message =
        failure.getMessage() == null ? "" : failure.getMessage().lines().findFirst().orElse("");
    if (failure instanceof ConnectException) {
      boolean refused = message.isEmpty() && isCausedBy(failure, ClosedChannelException.class);
      return refused ? "connection refused" : message.isEmpty() ? "no connection" : lower(message);
    }
    if (failure instanceof HttpTimeoutException) {
      return "no answer in time";
    }
    if (failure instanceof SSLException) {
      if (message.contains("SSL message")) {
        return "it does not speak TLS; an address with http:// may be meant";
      }
      return message.contains("certification path")
          ? "its certificate is of nobody that Java trusts"
          : "no TLS connection" + (message.isEmpty() ? "" : ": " + lower(message));
    }
    if (message.contains("header parser")) {
      return "what answers there does not speak HTTP, or wants https://";
    }
    return message.isEmpty() ? "no connection" : message;
  }

  private static boolean isCausedBy(Throwable failure, Class<? extends Throwable> type) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (type.isInstance(t)) {
        return true;
      }
    }
    return false;
  }

  private static String lower(String message) {
    return message.substring(0, 1).toLowerCase(Locale.ROOT) + message.substring(1);
  }
}
