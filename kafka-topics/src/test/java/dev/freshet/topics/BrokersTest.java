package dev.freshet.topics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.settings.InvalidSettingsException;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is said of addresses at which no broker is; what brokers say, the secured one tests. */
class BrokersTest {

  private static final Duration LONG = Duration.ofSeconds(30);

  /** A server that says the same to everybody, and hangs up unless that is null. */
  private static final class TestingServer implements AutoCloseable {
    private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final List<Socket> open = new ArrayList<>();

    TestingServer(byte[] answer) throws IOException {
      Thread thread =
          new Thread(
              () -> {
                try {
                  while (true) {
                    Socket client = socket.accept();
                    open.add(client);
                    if (answer != null) {
                      DataInputStream request = new DataInputStream(client.getInputStream());
                      request.readNBytes(request.readInt());
                      client.getOutputStream().write(answer);
                      client.close();
                    }
                  }
                } catch (IOException e) {
                  Thread.currentThread().interrupt(); // It is over.
                }
              });
      thread.setDaemon(true);
      thread.start();
    }

    String address() {
      return "127.0.0.1:" + socket.getLocalPort();
    }

    @Override
    public void close() throws IOException {
      socket.close();
      for (Socket one : open) {
        one.close();
      }
    }
  }

  private static Pipeline pipeline(String bootstrap, String properties) {
    return TestingPipelines.shop(
        "tasks:",
        "kafka: {bootstrap: '" + bootstrap + "', properties: {" + properties + "}}\ntasks:");
  }

  @Test
  void saysOfEachAddressWhatIsWrong() {
    assertThatThrownBy(() -> Brokers.require(pipeline("127.0.0.1:1,no-such-host.invalid:9092", "")))
        .isInstanceOf(NoBrokerException.class)
        .hasMessage(
            "cannot reach a Kafka broker at 127.0.0.1:1: connection refused;"
                + " no-such-host.invalid:9092: the name cannot be resolved");
  }

  @Test
  void whoSaysNothingIsNotWaitedForLongerThanWasAsked() throws Exception {
    try (TestingServer silent = new TestingServer(null)) {
      assertThatThrownBy(
              () -> Brokers.require(pipeline(silent.address(), "default.api.timeout.ms: '300'")))
          .isInstanceOf(NoBrokerException.class)
          .hasMessage(
              "cannot reach a Kafka broker at "
                  + silent.address()
                  + ": it takes connections and does not answer");
    }
  }

  @Test
  void anotherServerIsNoBroker() throws Exception {
    byte[] answer = "HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    try (TestingServer web = new TestingServer(answer)) {
      assertThat(Brokers.fault(pipeline(web.address(), ""), LONG))
          .contains(
              "no Kafka broker is at " + web.address() + ": its answer is not a Kafka broker's");
    }
  }

  @Test
  void whoHangsUpMayBeABrokerThatWantsTls() throws Exception {
    try (TestingServer shut = new TestingServer(new byte[0])) {
      assertThat(Brokers.fault(pipeline(shut.address(), ""), LONG)).isEmpty();
      assertThatThrownBy(
              () -> Brokers.require(pipeline(shut.address(), "default.api.timeout.ms: '500'")))
          .isInstanceOf(NoBrokerException.class)
          .hasMessageContaining("timed out (it closes the connection")
          .hasMessageContaining("wants TLS");
    }
  }

  @Test
  void aTlsAlertIsTold() throws Exception {
    byte[] alert = {0x15, 3, 3, 0, 2, 2, 40};
    try (TestingServer tls = new TestingServer(alert)) {
      assertThat(Brokers.fault(pipeline(tls.address(), ""), LONG))
          .contains(
              "the Kafka broker at "
                  + tls.address()
                  + " wants TLS; kafka.properties.security.protocol is PLAINTEXT, allowed: SSL,"
                  + " SASL_SSL");
      assertThat(Brokers.fault(pipeline(tls.address(), "security.protocol: SSL"), LONG)).isEmpty();
    }
  }

  @Test
  void propertiesWithWhichNoClientStartsAreToldInWords() throws Exception {
    byte[] alert = {0x15, 3, 3, 0, 2, 2, 40};
    try (TestingServer tls = new TestingServer(alert)) {
      String missing = "security.protocol: SSL, ssl.truststore.location: /hush/none.jks";
      assertThatThrownBy(() -> Brokers.require(pipeline(tls.address(), missing)))
          .isInstanceOf(InvalidSettingsException.class)
          .hasMessageContaining("kafka.properties.ssl.truststore.location: ")
          .hasMessageContaining("a file that can be read on this machine")
          .hasMessageNotContaining("hush");
    }
  }
}
