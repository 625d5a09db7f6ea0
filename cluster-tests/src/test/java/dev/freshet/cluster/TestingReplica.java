package dev.freshet.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.server.ModelServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A scoring server as a process, which keeps what it follows in a folder. */
final class TestingReplica implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final HttpClient client = HttpClient.newBuilder().connectTimeout(PATIENCE).build();
  private final TestingCluster cluster;
  private final String model;
  private final int port;
  private final Path folder;
  private final List<String> command;
  private TestingProcess process;

  TestingReplica(TestingCluster cluster, Path pipeline, Path folder, String model)
      throws IOException {
    this.cluster = cluster;
    this.model = model;
    this.folder = folder;
    port = TestingCluster.freePort();
    command =
        List.of(
            "-Xmx512m",
            "-XX:+UseParallelGC",
            "-Dai.djl.offline=true",
            "-Dai.djl.pytorch.num_threads=1",
            "-Dlog4j2.configurationFile=freshet-server-log4j2.xml",
            ModelServer.class.getName(),
            "--pipeline=" + pipeline,
            "--bootstrap=" + cluster.bootstrap(),
            "--model=" + model,
            "--port=" + port,
            "--state-dir=" + folder);
    start();
  }

  private void start() throws IOException {
    process = cluster.start("replica-" + model, command);
  }

  String model() {
    return model;
  }

  /** As {@code kill -9}; another one takes its place at once. */
  void kill() throws Exception {
    process.kill();
    start();
  }

  boolean ready() {
    return call(HttpRequest.newBuilder(uri("/health/ready")).build()).isPresent();
  }

  /** What {@code /v1/model} says; empty while it does not answer. */
  Optional<JsonNode> told() {
    return call(HttpRequest.newBuilder(uri("/v1/model")).build());
  }

  /** The version in use; empty without one. */
  String version() {
    return told().map(answer -> answer.path("version").asText("")).orElse("");
  }

  /** What it has filed of a version. */
  byte[] payload(String version) throws IOException {
    return Files.readAllBytes(folder.resolve(model).resolve(version + ".safetensors"));
  }

  /** Scores of impressions as on their topic, in their order. */
  JsonNode score(List<String> impressions) {
    String body = "{\"impressions\": [" + String.join(",", impressions) + "]}";
    return call(HttpRequest.newBuilder(uri("/v1/score"))
            .POST(BodyPublishers.ofString(body))
            .build())
        .orElseThrow(() -> new AssertionError("the replica of " + model + " does not score"));
  }

  private URI uri(String path) {
    return URI.create("http://127.0.0.1:" + port + path);
  }

  private Optional<JsonNode> call(HttpRequest request) {
    try {
      HttpResponse<String> answer = client.send(request, BodyHandlers.ofString());
      return answer.statusCode() == 200
          ? Optional.of(JSON.readTree(answer.body()))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    process.close();
  }
}
