package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.broker.Topics;
import dev.freshet.replica.ReplicaSettings;
import dev.freshet.replica.Waiting;
import dev.freshet.replica.server.Access;
import dev.freshet.replica.server.Limits;
import dev.freshet.replica.server.Readiness;
import dev.freshet.replica.server.ScoringServer;
import dev.freshet.replica.server.ServerSettings;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ready means followed: a broker that is not heard of, a version that is too old. */
@Timeout(value = 6, unit = TimeUnit.MINUTES)
class LostBrokerITCase {

  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  private static HttpResponse<String> get(ScoringServer server, String path) throws Exception {
    return CLIENT.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.address().getPort() + path))
            .build(),
        BodyHandlers.ofString());
  }

  private static String await(ScoringServer server, int status) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
    HttpResponse<String> ready = get(server, "/health/ready");
    while (ready.statusCode() != status) {
      assertThat(System.nanoTime()).as(ready.body()).isLessThan(deadline);
      Thread.sleep(100);
      ready = get(server, "/health/ready");
    }
    return ready.body();
  }

  private static ScoringServer serve(Pipeline pipeline, Readiness readiness) throws Exception {
    return ScoringServer.start(
        pipeline,
        "plain",
        new ServerSettings(
            "127.0.0.1",
            0,
            new Limits(4096, 16, 100, 2, 4, Duration.ofSeconds(30)),
            readiness,
            Access.OPEN,
            null,
            ReplicaSettings.DEFAULT));
  }

  /** A process that is stopped takes connections and says nothing, which is worse than none. */
  @Test
  void notReadyWithoutABrokerThatAnswers(@TempDir Path folder) throws Exception {
    Duration hour = Duration.ofHours(1);
    Set<ProcessHandle> before = children();
    try (EmbeddedBroker broker = EmbeddedBroker.start(folder)) {
      Set<ProcessHandle> started = children();
      started.removeAll(before);
      ProcessHandle process = started.iterator().next();
      Pipeline pipeline = TestingPipelines.shop().withBootstrap(broker.bootstrap());
      try (Topics admin = new Topics(pipeline)) {
        admin.create(1);
      }
      try (TestingPublisher publisher = new TestingPublisher(pipeline);
          ScoringServer strict =
              serve(pipeline, new Readiness(Duration.ofSeconds(3), hour, false));
          ScoringServer stale = serve(pipeline, new Readiness(Duration.ofSeconds(3), hour, true))) {
        assertThat(await(strict, 503)).contains("no version has arrived yet");
        String version = publisher.publish();
        await(strict, 200);
        await(stale, 200);
        signal("-STOP", process);
        try {
          assertThat(await(strict, 503)).contains(version).contains("last read to its end");
          assertThat(get(stale, "/health/ready").statusCode()).isEqualTo(200);
          while (strict.replica().state().waiting() != Waiting.BROKER) {
            Thread.sleep(100);
          }
          assertThat(await(strict, 503))
              .contains("Kafka broker at " + broker.bootstrap())
              .contains("does not answer");
          var model = new ObjectMapper().readTree(get(strict, "/v1/model").body());
          assertThat(model.path("lagSeconds").asDouble()).isGreaterThan(3);
          assertThat(model.path("waitingFor").asText()).isEqualTo("broker");
        } finally {
          signal("-CONT", process);
        }
        await(strict, 200);
        assertThat(strict.replica().caughtUp()).isTrue();
      }
    }
  }

  private static Set<ProcessHandle> children() {
    return ProcessHandle.current().children().collect(Collectors.toSet());
  }

  private static void signal(String name, ProcessHandle process) throws Exception {
    String pid = Long.toString(process.pid());
    assertThat(new ProcessBuilder("kill", name, pid).start().waitFor()).isZero();
  }

  @Test
  void notReadyWithAVersionThatIsTooOld(@TempDir Path folder) throws Exception {
    try (EmbeddedBroker broker = EmbeddedBroker.start(folder)) {
      Pipeline pipeline = TestingPipelines.shop().withBootstrap(broker.bootstrap());
      try (Topics admin = new Topics(pipeline)) {
        admin.create(1);
      }
      long old = System.currentTimeMillis() - Duration.ofHours(2).toMillis();
      try (TestingPublisher publisher = new TestingPublisher(pipeline)) {
        String first = publisher.publishedAt(old);
        try (ScoringServer server = serve(pipeline, Readiness.DEFAULT)) {
          assertThat(server.replica().awaitVersion(Duration.ofSeconds(30))).isTrue();
          assertThat(await(server, 503)).contains(first).contains("published 72");
          metrics(
              pipeline,
              "{'model': 'plain', 'time': 5, 'heldBack': {'versions': 3, 'step': 40, 'reason':"
                  + " 'large-norm', 'detail': 'dense.a'}}",
              "{'model': 'main', 'time': 6}",
              "{'model': 'plain', 'time': 4}",
              "no record",
              "{'pipeline': 'other', 'model': 'plain', 'time': 7}");
          while (server.heldBack().isEmpty()) {
            Thread.sleep(20);
          }
          assertThat(await(server, 503))
              .contains("the job has held back 3 versions, the last at step 40: large-norm: dense");
          var model = new ObjectMapper().readTree(get(server, "/v1/model").body());
          assertThat(model.path("heldBack").path("versions").asLong()).isEqualTo(3);
          assertThat(get(server, "/metrics").body()).contains("freshet_versions_held_back 3");
          server.replica().pin(first).get(30, TimeUnit.SECONDS);
          await(server, 200); // whoever pins it wants it
          server.replica().unpin();
          assertThat(await(server, 503)).contains("allowed: 3600 s");
          publisher.publish();
          await(server, 200);
          metrics(pipeline, "{'pipeline': 'test', 'model': 'plain', 'time': 8}");
          while (server.heldBack().isPresent()) {
            Thread.sleep(20);
          }
        }
      }
    }
  }

  /** As trainers write them, but for what is left out. */
  private static void metrics(Pipeline pipeline, String... records) {
    try (var producer =
        new KafkaProducer<>(
            Map.<String, Object>of("bootstrap.servers", pipeline.kafka().bootstrap()),
            new StringSerializer(),
            new StringSerializer())) {
      for (String record : records) {
        producer.send(
            new ProducerRecord<>(pipeline.topic(SystemTopic.METRICS), record.replace('\'', '"')));
      }
    }
  }
}
