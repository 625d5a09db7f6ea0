package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.settings.InvalidValueException;
import dev.freshet.replica.ReplicaSettings;
import dev.freshet.replica.server.Access;
import dev.freshet.replica.server.Certificate;
import dev.freshet.replica.server.Limits;
import dev.freshet.replica.server.Readiness;
import dev.freshet.replica.server.ScoringServer;
import dev.freshet.replica.server.ServerSettings;
import dev.freshet.replica.server.Token;
import java.io.IOException;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who may call a scoring server, and over what; which needs neither a broker nor a version. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ScoringServerAccessTest {

  private static final String ALL = "the token of all";
  private static final String SCORES = "the token of scores";

  @TempDir private Path folder;
  private TestingCertificates certificates;
  private Certificate certificate;

  @BeforeEach
  void sign() throws Exception {
    certificates = new TestingCertificates(folder);
    certificates.sign("server");
    certificate =
        new Certificate(certificates.file("server", "crt"), certificates.file("server", "key"));
  }

  private static ScoringServer start(Access access, Certificate certificate) throws IOException {
    return ScoringServer.start(
        TestingPipelines.shop().withBootstrap("127.0.0.1:1"),
        "plain",
        new ServerSettings(
            "127.0.0.1",
            0,
            new Limits(4096, 16, 100, 4, 10, Duration.ofSeconds(10)),
            Readiness.DEFAULT,
            access,
            certificate,
            ReplicaSettings.DEFAULT));
  }

  private HttpResponse<String> call(
      ScoringServer server, String scheme, String method, String path, String token)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(
                URI.create(scheme + "://127.0.0.1:" + server.address().getPort() + path))
            .method(method, BodyPublishers.ofString("{\"impressions\":[{}],\"version\":3}"));
    if (token != null) {
      request.header("Authorization", token);
    }
    HttpClient client = scheme.equals("https") ? certificates.client() : HttpClient.newHttpClient();
    return client.send(request.build(), BodyHandlers.ofString());
  }

  /** 503 and 400 are answers to who may ask: there is no version, and 3 is none. */
  @ParameterizedTest
  @CsvSource({
    "POST, /v1/score, 401, 503, 503, 503",
    "GET, /v1/model, 401, 200, 200, 200",
    "POST, /v1/model/pin, 401, 401, 400, 401",
    "DELETE, /v1/model/pin, 401, 401, 200, 401",
    "POST, /v1/model/rollback, 401, 401, 409, 401",
    "GET, /health/live, 200, 200, 200, 200",
    "GET, /health/ready, 503, 503, 503, 503",
    "GET, /metrics, 200, 200, 200, 200",
    "GET, /openapi.yaml, 200, 200, 200, 200"
  })
  void asksForTheTokenThatACallNeeds(
      String method, String path, int without, int ofScores, int ofAll, int openScores)
      throws Exception {
    try (ScoringServer server =
        start(new Access(Token.of(ALL), Token.of(SCORES), false), certificate)) {
      for (String wrong :
          new String[] {null, "Bearer " + ALL + "x", "Bearer ", "Basic " + ALL, ALL}) {
        HttpResponse<String> answer = call(server, "https", method, path, wrong);
        assertThat(answer.statusCode()).as("%s", wrong).isEqualTo(without);
        assertThat(answer.body()).doesNotContain(ALL);
      }
      assertThat(call(server, "https", method, path, "Bearer " + SCORES).statusCode())
          .isEqualTo(ofScores);
      assertThat(call(server, "https", method, path, "Bearer " + ALL).statusCode())
          .isEqualTo(ofAll);
    }
    try (ScoringServer server = start(new Access(Token.of(ALL), null, true), null)) {
      assertThat(call(server, "http", method, path, null).statusCode()).isEqualTo(openScores);
    }
  }

  @Test
  void speaksNothingButTlsThen() throws Exception {
    try (ScoringServer server = start(Access.OPEN, certificate)) {
      assertThatThrownBy(() -> call(server, "http", "GET", "/health/live", null))
          .isInstanceOf(IOException.class);
      certificates = new TestingCertificates(folder.resolve("others"));
      assertThatThrownBy(() -> call(server, "https", "GET", "/health/live", null))
          .isInstanceOf(IOException.class);
    }
  }

  private BigInteger shown(ScoringServer server) throws Exception {
    HttpResponse<String> answer = call(server, "https", "GET", "/health/live", null);
    assertThat(answer.statusCode()).isEqualTo(200);
    return ((X509Certificate) answer.sslSession().orElseThrow().getPeerCertificates()[0])
        .getSerialNumber();
  }

  @Test
  void takesARenewedCertificateAndKeepsTheLastGoodOne() throws Exception {
    try (ScoringServer server = start(Access.OPEN, certificate)) {
      BigInteger first = shown(server);
      Files.writeString(certificate.key(), "half of a file");
      TimeUnit.SECONDS.sleep(3); // it is looked at every second, and nothing is to be seen of it
      assertThat(shown(server)).isEqualTo(first);
      BigInteger second = certificates.sign("server").getCertificate().getSerialNumber();
      while (!shown(server).equals(second)) {
        Thread.sleep(100);
      }
    }
  }

  @Test
  void certificatesThatCannotBeShownAreRefusedAtOnce() throws Exception {
    certificates.sign("other");
    refused(certificates.file("other", "key"), "the key of the certificate");
    String key = Files.readString(certificate.key());
    Path bad = folder.resolve("bad.key");
    Files.writeString(bad, key.replace("PRIVATE KEY", "RSA PRIVATE KEY"));
    refused(bad, "openssl pkcs8 -topk8");
    Files.writeString(bad, key.replaceAll("(?m)^[A-Za-z0-9+/=]{20,}$", "AAAA"));
    refused(bad, "PEM certificates, and their key in ");
    Files.copy(certificate.key(), bad, StandardCopyOption.REPLACE_EXISTING);
    assertThatThrownBy(() -> start(Access.OPEN, new Certificate(bad, bad)))
        .isInstanceOf(InvalidValueException.class)
        .hasMessageContaining("tls-certificate")
        .hasMessageNotContaining(key.lines().skip(1).findFirst().orElseThrow());
  }

  private void refused(Path key, String why) {
    assertThatThrownBy(() -> start(Access.OPEN, new Certificate(certificate.chain(), key)))
        .isInstanceOf(InvalidValueException.class)
        .hasMessageContaining(why);
  }
}
