package dev.freshet.topics;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.UnresolvedAddressException;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;

/**
 * What Java's client throws, as it throws it; {@link PipelineSourceTest} asks the client itself.
 */
class HttpFailureTest {

  @Test
  void saysInWordsWhatJavaSaysByNames() {
    assertWhy(caused(new ConnectException(), new ClosedChannelException()), "connection refused");
    assertWhy(
        caused(new ConnectException(), new UnresolvedAddressException()),
        "the name cannot be resolved");
    assertWhy(new ConnectException("No route to host"), "no route to host");
    assertWhy(new HttpTimeoutException("request timed out"), "no answer in time");
    assertWhy(
        new IOException("HTTP/1.1 header parser received no bytes"),
        "what answers there does not speak HTTP, or wants https://");
    assertWhy(
        new SSLException("Unsupported or unrecognized SSL message"),
        "it does not speak TLS; an address with http:// may be meant");
    assertWhy(
        new SSLHandshakeException("unable to find valid certification path to requested target"),
        "its certificate is of nobody that Java trusts");
    assertWhy(new SSLException((String) null), "no TLS connection");
    assertWhy(new IOException(), "no connection");
    assertWhy(new IOException("HTTP status 404"), "HTTP status 404");
  }

  private static void assertWhy(IOException failure, String why) {
    assertThat(HttpFailure.why(failure)).isEqualTo(why);
  }

  private static IOException caused(IOException failure, Throwable cause) {
    failure.initCause(cause);
    return failure;
  }
}
