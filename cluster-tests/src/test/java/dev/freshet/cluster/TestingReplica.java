package dev.freshet.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.server.ModelServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A scoring server as a process, which keeps what it follows in a folder. */
final class TestingReplica implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final TestingHttp http = new TestingHttp(PATIENCE);
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
    return http.answer(HttpRequest.newBuilder(uri("/health/ready")).build()).isPresent();
  }

  /** What {@code /v1/model} says; empty while it does not answer. */
  Optional<JsonNode> told() {
    return http.answer(HttpRequest.newBuilder(uri("/v1/model")).build());
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
    return http.answer(
            HttpRequest.newBuilder(uri("/v1/score")).POST(BodyPublishers.ofString(body)).build())
        .orElseThrow(() -> new AssertionError("the replica of " + model + " does not score"));
  }

  private URI uri(String path) {
    return URI.create("http://127.0.0.1:" + port + path);
  }

  @Override
  public void close() {
    process.close();
  }
}
