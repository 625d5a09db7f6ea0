package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.job.publishing.KafkaSinks;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.broker.Topics;
import dev.freshet.replica.ReplicaSettings;
import dev.freshet.replica.server.Access;
import dev.freshet.replica.server.Limits;
import dev.freshet.replica.server.Readiness;
import dev.freshet.replica.server.ScoringServer;
import dev.freshet.replica.server.ServerSettings;
import dev.freshet.replica.server.Token;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.publishing.Lineage;
import dev.freshet.training.publishing.SnapshotWriter;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The scoring server as its clients see it, on a real broker. */
@Timeout(value = 6, unit = TimeUnit.MINUTES)
class ScoringServerITCase {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TOKEN = "a secret of tests";

  @TempDir private static Path folder;
  private static EmbeddedBroker broker;
  private static Pipeline pipeline;
  private static ModelTrainer trainer;
  private static SnapshotWriter writer;
  private static ScoringServer server;
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  @BeforeAll
  static void start() throws Exception {
    broker = EmbeddedBroker.start(folder);
    pipeline = TestingPipelines.shop().withBootstrap(broker.bootstrap());
    try (Topics admin = new Topics(pipeline)) {
      admin.create(1);
    }
    trainer = new ModelTrainer(pipeline.context(pipeline.model("plain")), pipeline.training());
    writer = new SnapshotWriter(pipeline);
    ServerSettings settings =
        new ServerSettings(
            "127.0.0.1",
            0,
            new Limits(4096, 16, 100, 4, 10, Duration.ofSeconds(10)),
            Readiness.DEFAULT,
            new Access(Token.of(TOKEN), null, true),
            null,
            ReplicaSettings.DEFAULT);
    server = ScoringServer.start(pipeline, "plain", settings);
    beforeTheFirstVersion();
    publish();
    publish();
    assertThat(server.replica().awaitVersion(Duration.ofSeconds(30))).isTrue();
  }

  private static void beforeTheFirstVersion() throws Exception {
    assertThat(get("/health/live").statusCode()).isEqualTo(200);
    assertThat(get("/health/ready").statusCode()).isEqualTo(503);
    assertThat(post("/v1/score", "{\"impressions\":[{}]}").statusCode()).isEqualTo(503);
  }

  private static void publish() {
    trainer.process(TestingExamples.settled(pipeline, 64, trainer.steps()));
    Map<String, Object> settings =
        Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrap());
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      ModelVersion version = new ModelVersion(9, trainer.steps());
      long now = System.currentTimeMillis();
      writer.write(
          trainer,
          version,
          new Lineage(List.of(new SourcePosition("clicks", 0, 5, now - 60_000)), now),
          now,
          record -> producer.send(KafkaSinks.message("models", 1, record)));
    }
  }

  @AfterAll
  static void stop() {
    server.close();
    trainer.close();
    broker.close();
  }

  private static HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(
        URI.create("http://127.0.0.1:" + server.address().getPort() + path));
  }

  private static HttpResponse<String> send(HttpRequest request)
      throws IOException, InterruptedException {
    return CLIENT.send(request, BodyHandlers.ofString());
  }

  private static HttpResponse<String> get(String path) throws Exception {
    return send(request(path).GET().build());
  }

  private static HttpResponse<String> post(String path, String body) throws Exception {
    return send(request(path).POST(BodyPublishers.ofString(body)).build());
  }

  private static void await(String version) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!server.replica().manifest().orElseThrow().version().equals(version)) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  @Test
  void scoresABatchByOneVersion() throws Exception {
    await("9-" + trainer.steps());
    String body =
        """
        {"impressions": [
          {"impression_id": "a", "features": {"user": "u3", "item": "i4", "tags": ["t1", "t2"], "price": 20}},
          {"features": {}}
        ]}""";
    HttpResponse<String> response = post("/v1/score", body);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    JsonNode answer = JSON.readTree(response.body());
    assertThat(answer.path("model").asText()).isEqualTo("plain");
    assertThat(answer.path("version").asText()).isEqualTo("9-" + trainer.steps());
    assertThat(answer.path("scores")).hasSize(2);
    assertThat(answer.path("scores").get(0).path("impression_id").asText()).isEqualTo("a");
    for (JsonNode one : answer.path("scores")) {
      assertThat(one.path("scores").path("click").asDouble()).isBetween(0.0, 1.0);
      assertThat(one.path("scores").has("revenue")).isTrue();
    }
    var known = TestingExamples.labelled(1, 77).get(0).impression();
    double expected =
        server.replica().predict(java.util.List.of(known)).get(0).scores().get("click");
    float[] said = trainer.network().predict(TestingExamples.settled(pipeline, 1, 77))[0];
    assertThat(expected).isCloseTo(trainer.served().served(said)[0], within(1e-6));
  }

  /** Nothing that is missing is missing in silence: the answer says so, and a counter. */
  @Test
  void warnsOfWhatIsMissingOrUnknown() throws Exception {
    JsonNode scores =
        JSON.readTree(
                post(
                        "/v1/score",
                        "{\"impressions\":[{\"features\":{\"user\":\"a stranger\",\"price\":\"5\"}}]}")
                    .body())
            .path("scores");
    JsonNode warnings = scores.get(0).path("warnings");
    assertThat(warnings.path("missing"))
        .map(JsonNode::asText)
        .containsExactlyInAnyOrder("item", "tags");
    assertThat(warnings.path("unknown")).map(JsonNode::asText).contains("user");
    post("/v1/score", "{\"impressions\":[{\"features\":{\"price\":\"dear\"}}]}");
    assertThat(get("/metrics").body())
        .containsPattern("freshet_fields_total\\{field=\"tags\",kind=\"absent\"\\} [1-9]")
        .containsPattern("freshet_fields_total\\{field=\"user\",kind=\"unknown\"\\} [1-9]")
        .containsPattern("freshet_fields_total\\{field=\"price\",kind=\"wrong-type\"\\} [1-9]")
        .containsPattern("freshet_fields_total\\{field=\"price\",kind=\"number-as-text\"\\} [1-9]");
  }

  @Test
  void badInputGets400WithTheField() throws Exception {
    refused("{\"impressions\":[{\"features\":{}},{\"features\":{\"price\":\"dear\"}}]}", 400)
        .contains("impressions[1].features.price: '\\\"dear\\\"'; allowed: a number");
    refused("{\"impressions\":[{\"event_time\":\"soon\"}]}", 400)
        .contains("impressions[0].event_time: 'soon'; allowed: epoch milliseconds");
    refused("{\"impressions\":[3]}", 400).contains("impressions[0].message");
    refused("{\"impressions\":[]}", 400).contains("impressions: allowed: a list");
    refused("{\"impressions\":[{}" + ",{}".repeat(16) + "]}", 400).contains("allowed: up to 16");
    refused("{\"impressions\":", 400).contains("body: not JSON");
    refused("[]", 400).contains("body: allowed: one JSON object");
    refused("", 400).contains("body");
    refused("{\"impressions\":[{\"features\":{\"user\":\"" + "u".repeat(5000) + "\"}}]}", 413)
        .contains("up to 4096 bytes");
  }

  private static org.assertj.core.api.AbstractStringAssert<?> refused(String body, int status)
      throws Exception {
    HttpResponse<String> response = post("/v1/score", body);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    return assertThat(JSON.readTree(response.body()).path("error").asText().replace("\"", "\\\""));
  }

  @Test
  void aVersionIsPinnedByWhoeverHasTheToken() throws Exception {
    publish();
    String newest = "9-" + trainer.steps();
    await(newest);
    String pin = "{\"version\":\"9-1\"}";
    assertThat(post("/v1/model/pin", pin).statusCode()).isEqualTo(401);
    assertThat(withToken("/v1/model/pin", "{\"version\":3}", "POST").statusCode()).isEqualTo(400);
    HttpResponse<String> missing = withToken("/v1/model/pin", "{\"version\":\"9-999\"}", "POST");
    assertThat(missing.statusCode()).isEqualTo(409);
    assertThat(missing.body()).contains("version 9-999 is not on the topic");
    HttpResponse<String> pinned = withToken("/v1/model/pin", pin, "POST");
    assertThat(pinned.statusCode()).as(pinned.body()).isEqualTo(200);
    assertThat(JSON.readTree(pinned.body()).path("version").asText()).isEqualTo("9-1");
    assertThat(JSON.readTree(get("/v1/model").body()).path("pinned").asText()).isEqualTo("9-1");
    assertThat(get("/metrics").body()).contains("freshet_pinned 1.0");
    assertThat(withToken("/v1/model/pin", "", "DELETE").statusCode()).isEqualTo(200);
    await(newest);
    JsonNode back = JSON.readTree(withToken("/v1/model/rollback", "", "POST").body());
    assertThat(back.path("version").asText()).isEqualTo("9-" + (trainer.steps() - 1));
    assertThat(withToken("/v1/model/pin", "", "DELETE").statusCode()).isEqualTo(200);
    await(newest);
  }

  private static HttpResponse<String> withToken(String path, String body, String method)
      throws Exception {
    return send(
        request(path)
            .header("Authorization", "Bearer " + TOKEN)
            .method(method, BodyPublishers.ofString(body))
            .build());
  }

  @Test
  void tellsHowItIs() throws Exception {
    JsonNode model = JSON.readTree(get("/v1/model").body());
    assertThat(model.path("manifest").path("format").asInt()).isEqualTo(5);
    assertThat(model.path("stalenessSeconds").asDouble()).isBetween(0.0, 300.0);
    assertThat(model.path("newestEventAgeSeconds").asDouble()).isBetween(60.0, 360.0);
    assertThat(model.path("versionsRefused").path("missing-parent").isNumber()).isTrue();
    assertThat(get("/health/ready").body()).contains("ready").contains("9-");
    post("/v1/score", "{\"impressions\":[{}]}");
    assertThat(get("/metrics").body())
        .contains("freshet_requests_total{path=\"/v1/score\",status=\"200\"}")
        .contains("freshet_score_duration_seconds_bucket")
        .contains("freshet_version_swap_seconds_count")
        .contains("freshet_staleness_seconds")
        .containsPattern(
            "freshet_newest_event_age_seconds [6-9]\\d|freshet_newest_event_age_seconds \\d{3}")
        .contains("freshet_versions_refused_total{reason=\"broken\"} 0.0");
    assertThat(get("/nowhere").statusCode()).isEqualTo(404);
  }

  /** Every call that is described is there. */
  @Test
  void theDescriptionIsTrue() throws Exception {
    JsonNode described = new YAMLMapper().readTree(get("/openapi.yaml").body());
    int calls = 0;
    for (Iterator<String> paths = described.path("paths").fieldNames(); paths.hasNext(); ) {
      String path = paths.next();
      for (Iterator<String> verbs = described.path("paths").path(path).fieldNames();
          verbs.hasNext(); ) {
        String verb = verbs.next();
        HttpResponse<String> response =
            send(
                request(path)
                    .method(verb.toUpperCase(java.util.Locale.ROOT), BodyPublishers.ofString("{}"))
                    .build());
        JsonNode answers = described.path("paths").path(path).path(verb).path("responses");
        assertThat(answers.has(Integer.toString(response.statusCode())))
            .as("%s %s answers %s", verb, path, response.statusCode())
            .isTrue();
        calls++;
      }
    }
    assertThat(calls).isEqualTo(9);
  }
}
