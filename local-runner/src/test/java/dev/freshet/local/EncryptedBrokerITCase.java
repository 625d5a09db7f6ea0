package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.run.LocalJob;
import dev.freshet.replica.ReplicaSettings;
import dev.freshet.replica.server.Access;
import dev.freshet.replica.server.Certificate;
import dev.freshet.replica.server.Limits;
import dev.freshet.replica.server.Readiness;
import dev.freshet.replica.server.ScoringServer;
import dev.freshet.replica.server.ServerSettings;
import dev.freshet.replica.server.Token;
import dev.freshet.topics.ClientProperties;
import dev.freshet.topics.NoBrokerException;
import dev.freshet.topics.PipelineSource;
import dev.freshet.topics.Right;
import dev.freshet.topics.Right.Party;
import dev.freshet.topics.StartChecks;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialAlteration;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * From events to scores with everything encrypted: each party logs in, by password or by
 * certificate, has the listed rights alone, and finds its secret by a reference. None of the
 * secrets is anywhere else afterwards.
 */
@Timeout(value = 8, unit = TimeUnit.MINUTES)
class EncryptedBrokerITCase {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String SECRET = "hush-";
  private static final String HALF = "half";
  private static final String NONE = "none";
  private static final String ADMIN = "admin";
  private static final String SERVER = "server";

  private static final String PIPELINE =
      """
      pipeline: encrypted
      kafka:
        bootstrap: %s
        topics: {examples: examples, training-log: training-log}
        properties:
          ssl.truststore.type: PEM
          ssl.truststore.location: %s
          %s
      tasks:
        - {name: click, kind: binary, window: 10m}
      labels: {idle-after: 500ms, holdout: 0.0}
      features:
        - {name: user_id, kind: categorical, dim: 4}
      models:
        - {name: main, kind: shared-bottom, bottom: [4], tower: [4]}
      training: {batch: 16, max-wait: 0ms}
      publishing: {every: 1 checkpoint}
      """;

  /** How a party shows who it is. */
  enum Way {
    SCRAM {
      @Override
      String broker() {
        String plain = "org.apache.kafka.common.security.plain.PlainLoginModule required";
        // The broker itself, and who makes the users; nobody else has a password of this kind.
        return """
            listener.security.protocol.map=CLIENTS:SASL_SSL,CONTROLLER:PLAINTEXT
            sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
            sasl.mechanism.inter.broker.protocol=PLAIN
            listener.name.clients.plain.sasl.jaas.config=%s username="admin" password="%sadmin" user_admin="%sadmin";
            listener.name.clients.scram-sha-512.sasl.jaas.config=%s required;
            """
            .formatted(plain, SECRET, SECRET, MODULE);
      }

      @Override
      String client(Path secrets, String user) {
        boolean first = user.equals(ADMIN);
        return """
            security.protocol: SASL_SSL
                sasl.mechanism: %s
                sasl.jaas.config: '%s required username="%s" password="${file:%s:%s}";'
            """
            .formatted(
                first ? "PLAIN" : "SCRAM-SHA-512",
                first ? MODULE.replace("scram.Scram", "plain.Plain") : MODULE,
                user,
                secrets.resolve("passwords.properties"),
                user);
      }
    },
    MTLS {
      @Override
      String broker() {
        return """
            listener.security.protocol.map=CLIENTS:SSL,CONTROLLER:PLAINTEXT
            ssl.client.auth=required
            ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/
            """;
      }

      @Override
      String client(Path secrets, String user) {
        return """
            security.protocol: SSL
                ssl.keystore.type: PEM
                ssl.keystore.key: ${dir:%s:%s.key}
                ssl.keystore.certificate.chain: ${dir:%s:%s.crt}
            """
            .formatted(secrets, user, secrets, user);
      }
    };

    private static final String MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule";

    abstract String broker();

    abstract String client(Path secrets, String user);
  }

  @TempDir private Path folder;
  private Way way;
  private Path secrets;
  private TestingCertificates certificates;
  private EmbeddedBroker broker;
  private Admin admin;
  private final List<String> planted = new ArrayList<>();
  private final Map<String, List<String>> said = new TreeMap<>();

  private void start(Way chosen) throws Exception {
    way = chosen;
    secrets = folder.resolve("secrets");
    certificates = new TestingCertificates(secrets);
    certificates.sign("broker");
    Path kafka = Files.createDirectories(folder.resolve("kafka"));
    Files.writeString(
        kafka.resolve("broker.properties"),
        way.broker()
            + """
            ssl.keystore.type=PEM
            ssl.keystore.location=%s
            ssl.truststore.type=PEM
            ssl.truststore.location=%s
            authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
            super.users=User:admin;User:broker;User:ANONYMOUS
            """
                .formatted(certificates.file("broker", "pem"), certificates.authority()));
    StringBuilder passwords = new StringBuilder();
    List<String> users = new ArrayList<>(List.of(ADMIN, HALF, NONE, SERVER));
    for (Party party : Party.values()) {
      users.add(name(party));
    }
    for (String user : users) {
      passwords.append(user).append('=').append(SECRET).append(user).append('\n');
      certificates.sign(user);
      List<String> key = Files.readAllLines(certificates.file(user, "key"));
      planted.add(key.get(1));
    }
    planted.add(SECRET);
    Files.writeString(secrets.resolve("passwords.properties"), passwords);
    broker = EmbeddedBroker.start(kafka);
    admin = Admin.create(settings(ADMIN));
    if (way == Way.SCRAM) {
      List<UserScramCredentialAlteration> logins = new ArrayList<>();
      for (String user : users) {
        var kind = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096);
        logins.add(new UserScramCredentialUpsertion(user, kind, SECRET + user));
      }
      admin.alterUserScramCredentials(logins).all().get();
    }
    List<AclBinding> given = new ArrayList<>();
    for (Right right : Right.of(as(ADMIN))) {
      given.add(binding(right, name(right.who())));
      if (right.who() == Party.OPERATOR && right.name().equals("models")) {
        given.add(binding(right, HALF));
      }
    }
    TestingAcls.give(admin, given);
  }

  @AfterEach
  void stop() {
    admin.close();
    broker.close();
  }

  private static String name(Party party) {
    return party.label().replace(' ', '-');
  }

  private static AclBinding binding(Right right, String user) {
    return new AclBinding(
        new ResourcePattern(right.on(), right.name(), right.pattern()),
        new AccessControlEntry("User:" + user, "*", right.operation(), AclPermissionType.ALLOW));
  }

  private Path file(String user) throws IOException {
    return file(user, way.client(secrets, user), certificates.authority());
  }

  private Path file(String name, String properties, Path authority) throws IOException {
    return Files.writeString(
        folder.resolve(name + ".yaml"),
        PIPELINE.formatted(broker.bootstrap(), authority, properties.strip()));
  }

  private Pipeline as(String user) throws IOException {
    return ClientProperties.read(PipelineSource.of(file(user)));
  }

  private Map<String, Object> settings(String user) throws IOException {
    Map<String, Object> settings = new HashMap<>(as(user).kafka().properties());
    settings.put("bootstrap.servers", broker.bootstrap());
    return settings;
  }

  private TestingCommand run(String user, String... command) throws IOException {
    List<String> args = new ArrayList<>(List.of(command));
    args.add("--pipeline=" + file(user));
    TestingCommand ran = TestingCommand.run(args.toArray(String[]::new));
    say(String.join(" ", command), ran.out() + ran.err());
    return ran;
  }

  private void say(String where, String what) {
    said.computeIfAbsent(where, w -> new ArrayList<>()).add(what);
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void eventsBecomeScoresAndNothingTellsASecret(Way chosen) throws Exception {
    start(chosen);
    try (TestingLog log = new TestingLog()) {
      TestingCommand checked = TestingCommand.run("check", file(NONE).toString());
      say("check", checked.out() + checked.err());
      assertThat(checked.code()).as(checked.err()).isZero();
      whoHasNoRightsIsTold();
      TestingCommand made = run(name(Party.TOPICS_CREATE), "topics", "create", "--partitions=1");
      assertThat(made.code()).as(made.err()).isZero();
      TestingCommand ready = run(name(Party.TRAINER_JOB), "topics", "check");
      assertThat(ready.code()).as(ready.err()).isZero();
      try (LocalJob job =
              LocalJob.start(
                  as(name(Party.TRAINER_JOB)), folder.resolve("job"), 1, Duration.ofSeconds(1));
          ScoringServer server = server(name(Party.SERVING_REPLICA))) {
        sendEvents();
        while (!server.replica().awaitVersion(Duration.ofSeconds(1))) {
          assertThat(job.finished()).isFalse();
        }
        assertThat(score(server)).isBetween(0.0, 1.0);
        awaitCommitted("training-metrics", "dead-letters");
        crawl(job.webPort());
        for (String path : List.of("/metrics", "/health/ready", "/v1/model")) {
          URI uri = URI.create("https://127.0.0.1:" + server.address().getPort() + path);
          HttpRequest request =
              HttpRequest.newBuilder(uri)
                  .header("Authorization", "Bearer " + SECRET + "of-operators")
                  .build();
          say("server", certificates.client().send(request, BodyHandlers.ofString()).body());
        }
        assertThat(job.failures()).isEmpty();
      }
      versionsAreTheOperators();
      wrongLoginsAreToldInOneLine();
      say("log", String.join("\n", log.lines()));
    }
    readTopics();
    Files.readAllLines(folder.resolve("kafka/broker.log")).forEach(line -> say("broker", line));
    assertThat(said.keySet()).contains("models", "training-metrics", "dead-letters", "/jobs");
    assertThat(said.get("log").get(0)).contains("AdminClientConfig values");
    said.forEach(
        (where, texts) ->
            assertThat(String.join("\n", texts)).as(where).isNotEmpty().doesNotContain(planted));
  }

  private void whoHasNoRightsIsTold() throws Exception {
    TestingCommand create = run(NONE, "topics", "create");
    assertThat(create.code()).isEqualTo(2);
    assertThat(create.err()).contains("a topic on which this user has the right CREATE");
    TestingCommand job = run(NONE, "topics", "check");
    assertThat(job.err()).contains("'models'; allowed: a topic on which this user has the right");
  }

  private ScoringServer server(String user) throws IOException {
    return ScoringServer.start(
        as(user),
        "main",
        new ServerSettings(
            "127.0.0.1",
            0,
            new Limits(1 << 16, 16, 100, 4, 10, Duration.ofSeconds(10)),
            Readiness.DEFAULT,
            new Access(Token.of(SECRET + "of-operators"), Token.of(SECRET + "of-clients"), false),
            new Certificate(certificates.file(SERVER, "crt"), certificates.file(SERVER, "key")),
            ReplicaSettings.DEFAULT));
  }

  private double score(ScoringServer server) throws Exception {
    String body = "{\"impressions\":[{\"features\":{\"user_id\":\"u1\"}}]}";
    URI uri = URI.create("https://127.0.0.1:" + server.address().getPort() + "/v1/score");
    HttpRequest.Builder request = HttpRequest.newBuilder(uri).POST(BodyPublishers.ofString(body));
    HttpClient client = certificates.client();
    assertThat(client.send(request.build(), BodyHandlers.ofString()).statusCode()).isEqualTo(401);
    request.header("Authorization", "Bearer " + SECRET + "of-clients");
    String answer = client.send(request.build(), BodyHandlers.ofString()).body();
    return JSON.readTree(answer).at("/scores/0/scores/click").asDouble(-1);
  }

  private void sendEvents() throws Exception {
    try (var producer = producer(name(Party.EVENT_PRODUCER))) {
      long at = System.currentTimeMillis() - Duration.ofHours(1).toMillis();
      for (int i = 0; i < 400; i++) {
        String features = "\"features\":{\"user_id\":\"u" + i % 9 + "\"}";
        send(
            producer,
            "impressions",
            "i" + i,
            "{\"impression_id\":\"i%d\",\"event_time\":%d,%s}"
                .formatted(i, at + i * 5000L, features));
        if (i % 3 == 0) {
          send(
              producer,
              "click",
              "i" + i,
              "{\"impression_id\":\"i%d\",\"event_id\":\"c\",\"event_time\":%d}"
                  .formatted(i, at + i * 5000L + 1000));
        }
      }
      send(producer, "impressions", "x", "no event");
    }
    try (var producer = producer(NONE)) {
      assertThatThrownBy(() -> send(producer, "impressions", "x", "{}"))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(TopicAuthorizationException.class);
    }
  }

  private KafkaProducer<byte[], byte[]> producer(String user) throws IOException {
    Map<String, Object> settings = settings(user);
    settings.put("enable.idempotence", true);
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  private static void send(
      KafkaProducer<byte[], byte[]> producer, String topic, String key, String value)
      throws ExecutionException, InterruptedException {
    producer
        .send(
            new ProducerRecord<>(
                topic,
                key.getBytes(StandardCharsets.UTF_8),
                value.getBytes(StandardCharsets.UTF_8)))
        .get();
  }

  private void versionsAreTheOperators() throws Exception {
    TestingCommand list = run(name(Party.OPERATOR), "models", "list");
    assertThat(list.code()).as(list.err()).isZero();
    assertThat(list.out()).contains("main ");
    TestingCommand again = run(name(Party.OPERATOR), "reproduce");
    assertThat(again.code()).as(again.err()).isZero();
    assertThat(again.out()).contains("the same bytes");
    TestingCommand half = run(HALF, "reproduce");
    assertThat(half.code()).isEqualTo(4);
    assertThat(half.err())
        .isEqualTo(
            "the Kafka broker: Not authorized to access topics: [training-log];"
                + " `./freshet topics rights` lists what each party needs\n");
    TestingCommand none = run(NONE, "models", "list");
    assertThat(none.code()).isEqualTo(4);
    assertThat(none.err()).contains("Not authorized to access topics: [models]");
  }

  private void wrongLoginsAreToldInOneLine() throws Exception {
    String user = name(Party.OPERATOR);
    TestingCertificates others = new TestingCertificates(folder.resolve("others"));
    others.sign(user);
    refused(
        file("foreign-broker", way.client(secrets, user), others.authority()),
        "kafka.properties.ssl.truststore trusts at this address)");
    if (way == Way.MTLS) {
      refused(
          file(
              "foreign-client",
              way.client(folder.resolve("others"), user),
              certificates.authority()),
          "it does not take this client's certificate, or wants one: kafka.properties.ssl.keystore");
      refused(
          file("no-certificate", "security.protocol: SSL", certificates.authority()),
          "it does not take this client's certificate, or wants one: kafka.properties.ssl.keystore");
      refused(
          file("login", Way.SCRAM.client(secrets, user), certificates.authority()),
          "it does not take this client's certificate, or wants one: kafka.properties.ssl.keystore");
      refused(
          file("open", "security.protocol: PLAINTEXT", certificates.authority()),
          "wants TLS; kafka.properties.security.protocol is PLAINTEXT");
    } else {
      Path wrong = Files.createDirectories(folder.resolve("wrong"));
      Files.writeString(wrong.resolve("passwords.properties"), user + "=" + SECRET + "wrong");
      refused(
          file("wrong-password", way.client(wrong, user), certificates.authority()),
          "does not take the credentials in kafka.properties.sasl.jaas.config");
      refused(
          file(
              "no-login",
              "security.protocol: SSL\n    default.api.timeout.ms: '3000'",
              certificates.authority()),
          "wants a login as well; kafka.properties.security.protocol is SSL, allowed then: SASL_SSL");
    }
  }

  private void refused(Path file, String message) throws IOException {
    Pipeline pipeline = ClientProperties.read(PipelineSource.of(file));
    assertThatThrownBy(() -> StartChecks.run(pipeline, "test"))
        .isInstanceOf(NoBrokerException.class)
        .hasMessageContaining(message)
        .satisfies(e -> say("refused", e.getMessage()))
        .satisfies(e -> assertThat(e.getMessage().lines()).hasSize(1));
  }

  private static String get(String url) throws IOException, InterruptedException {
    return HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofString())
        .body();
  }

  /** What Flink tells of the job, its configuration and its processes. */
  private void crawl(int port) throws Exception {
    String at = "http://127.0.0.1:" + port;
    List<String> paths =
        new ArrayList<>(
            List.of(
                "/config",
                "/jobs",
                "/jobs/overview",
                "/jobmanager/config",
                "/jobmanager/environment",
                "/jobmanager/metrics",
                "/taskmanagers"));
    for (JsonNode job : JSON.readTree(get(at + "/jobs")).path("jobs")) {
      String of = "/jobs/" + job.path("id").asText();
      for (String more :
          List.of(
              "",
              "/config",
              "/plan",
              "/exceptions",
              "/accumulators",
              "/checkpoints",
              "/checkpoints/config",
              "/jobmanager/config",
              "/jobmanager/environment")) {
        paths.add(of + more);
      }
      for (JsonNode vertex : JSON.readTree(get(at + of)).path("vertices")) {
        paths.add(of + "/vertices/" + vertex.path("id").asText());
        paths.add(of + "/vertices/" + vertex.path("id").asText() + "/accumulators");
        paths.add(of + "/vertices/" + vertex.path("id").asText() + "/metrics");
      }
    }
    for (String path : paths) {
      String answer = get(at + path);
      assertThat(answer).as(path).doesNotContain("errors\":[\"Not found");
      say("/jobs", answer);
    }
  }

  private void awaitCommitted(String... topics) throws Exception {
    for (String topic : topics) {
      Map<TopicPartition, OffsetSpec> end =
          Map.of(new TopicPartition(topic, 0), OffsetSpec.latest());
      ListOffsetsOptions committed = new ListOffsetsOptions(IsolationLevel.READ_COMMITTED);
      while (admin.listOffsets(end, committed).all().get().values().iterator().next().offset()
          == 0) {
        Thread.sleep(50);
      }
    }
  }

  private void readTopics() throws Exception {
    Map<String, Object> settings = settings(ADMIN);
    settings.put("isolation.level", "read_committed");
    try (var consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      for (String topic : admin.listTopics().names().get()) {
        List<TopicPartition> partitions =
            consumer.partitionsFor(topic).stream()
                .map(one -> new TopicPartition(topic, one.partition()))
                .toList();
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        while (partitions.stream().anyMatch(one -> consumer.position(one) < ends.get(one))) {
          consumer
              .poll(Duration.ofMillis(200))
              .forEach(
                  message -> {
                    say(topic, text(message.key()) + text(message.value()));
                    message.headers().forEach(header -> say(topic, text(header.value())));
                  });
        }
      }
    }
  }

  private static String text(byte[] bytes) {
    return bytes == null ? "" : new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
