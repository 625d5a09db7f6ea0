package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.settings.InvalidSettingsException;
import dev.freshet.core.settings.Problems.Problem;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.run.LocalJob;
import dev.freshet.replica.ModelReplica;
import dev.freshet.replica.Waiting;
import dev.freshet.topics.NoBrokerException;
import dev.freshet.topics.Right;
import dev.freshet.topics.Right.Party;
import dev.freshet.topics.StartChecks;
import dev.freshet.topics.TopicAdmin;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A broker that wants a password and gives every user the rights that docs/deployment.md lists, and
 * no others.
 */
@Timeout(value = 8, unit = TimeUnit.MINUTES)
class SecuredBrokerITCase {

  private static final String SECRET = "hush-";
  private static final String MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule";

  /** Users whose names end in a number lack one of the trainer's rights. */
  private static final int LACKING = 20;

  private static final String PIPELINE =
      """
      pipeline: secured
      kafka:
        topics: {examples: examples, training-log: training-log}
        plain-secrets: true
        properties: {}
      tasks:
        - {name: click, kind: binary, window: 10m}
      labels: {idle-after: 500ms, holdout: 0.0}
      features:
        - {name: user_id, kind: categorical, dim: 4}
      models:
        - {name: main, kind: shared-bottom, bottom: [4], tower: [4]}
      training: {batch: 16, max-wait: 0ms}
      """;

  private static AclBinding binding(Right right, String user, AclOperation operation) {
    return new AclBinding(
        new ResourcePattern(right.on(), right.name(), right.pattern()),
        new AccessControlEntry("User:" + user, "*", operation, AclPermissionType.ALLOW));
  }

  @TempDir private static Path folder;
  private static EmbeddedBroker broker;
  private static Admin admin;
  private static List<Right> rights;

  @BeforeAll
  static void start() throws Exception {
    Path kafka = Files.createDirectories(folder.resolve("kafka"));
    StringBuilder users = new StringBuilder();
    List<String> names = new ArrayList<>(List.of("admin", "trainer", "replica", "creator", "none"));
    for (int i = 0; i < LACKING; i++) {
      names.add("maker" + i);
    }
    for (int i = 0; i < LACKING; i++) {
      names.addAll(List.of("blind" + i, "seeing" + i));
    }
    names.forEach(name -> users.append(" user_" + name + "=\"" + SECRET + name + "\""));
    Files.writeString(
        kafka.resolve("broker.properties"),
        """
        listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
        sasl.enabled.mechanisms=PLAIN
        sasl.mechanism.inter.broker.protocol=PLAIN
        listener.name.clients.plain.sasl.jaas.config=%s required username="admin" password="%sadmin"%s;
        authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
        super.users=User:admin;User:ANONYMOUS
        """
            .formatted(MODULE, SECRET, users));
    broker = EmbeddedBroker.start(kafka);
    Map<String, Object> settings = new HashMap<>(as("admin").kafka().properties());
    settings.put("bootstrap.servers", broker.bootstrap());
    admin = Admin.create(settings);
    rights = TestingRights.of(pipeline(""));
    grant(rights(Party.TOPICS_CREATE), "creator");
    try (TopicAdmin topics = new TopicAdmin(as("creator"))) {
      topics.create(1, Optional.of((short) 1), new ArrayList<>());
    }
  }

  @AfterAll
  static void stop() {
    admin.close();
    broker.close();
  }

  private static Pipeline pipeline(String properties) {
    return PipelineFile.parse(PIPELINE.replace("{}", "{" + properties + "}"), "test")
        .withBootstrap(broker.bootstrap());
  }

  private static String login(String user, String password) {
    return "security.protocol: SASL_PLAINTEXT, sasl.mechanism: PLAIN, sasl.jaas.config: '"
        + MODULE
        + " required username=\""
        + user
        + "\" password=\""
        + password
        + "\";'";
  }

  private static Pipeline as(String user) {
    return pipeline(login(user, SECRET + user));
  }

  private static List<Right> rights(Party who) {
    List<Right> of = rights.stream().filter(right -> right.who() == who).toList();
    assertThat(of).as(who.label()).isNotEmpty();
    return of;
  }

  private static void grant(List<Right> given, String user) throws Exception {
    TestingAcls.give(
        admin, given.stream().map(right -> binding(right, user, right.operation())).toList());
  }

  /** What the documents list is what is given here, to the Kubernetes users, and by the command. */
  @Test
  void theListIsOne() throws Exception {
    assertThat(Right.of(as("admin"))).containsExactlyInAnyOrderElementsOf(rights);
  }

  @Test
  void theListedRightsAreEnough() throws Exception {
    grant(rights(Party.TRAINER_JOB), "trainer");
    grant(rights(Party.SERVING_REPLICA), "replica");
    try (LocalJob job =
            LocalJob.start(as("trainer"), folder.resolve("job"), 1, Duration.ofSeconds(1));
        ModelReplica replica = ModelReplica.follow(as("replica"), "main")) {
      Map<String, Object> settings = new HashMap<>(as("admin").kafka().properties());
      settings.put("bootstrap.servers", broker.bootstrap());
      try (var producer =
          new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
        long at = System.currentTimeMillis() - Duration.ofHours(1).toMillis();
        for (int i = 0; i < 400; i++) {
          String event =
              "{\"impression_id\":\"i%d\",\"event_time\":%d,%s}"
                  .formatted(i, at + i * 5000L, "\"features\":{\"user_id\":\"u" + i % 9 + "\"}");
          send(producer, "impressions", "i" + i, event);
          if (i % 3 == 0) {
            send(
                producer,
                "click",
                "i" + i,
                "{\"impression_id\":\"i%d\",\"event_id\":\"c\",\"event_time\":%d}"
                    .formatted(i, at + i * 5000L + 1000));
          }
        }
        while (!replica.awaitVersion(Duration.ofSeconds(1))) {
          assertThat(job.finished()).isFalse();
        }
        assertThat(job.failures()).isEmpty();
        assertThat(replica.manifest().orElseThrow().model()).isEqualTo("main");
        theJobIsSeenByItsNeighbours();
      }
    }
  }

  /** By the transactional ids of the real sinks. */
  private static void theJobIsSeenByItsNeighbours() throws Exception {
    Pipeline copy =
        PipelineFile.parse(
                PIPELINE
                    .replace("pipeline: secured", "pipeline: copy")
                    .replace("{}", "{" + login("admin", SECRET + "admin") + "}"),
                "test")
            .withBootstrap(broker.bootstrap());
    InvalidSettingsException refused =
        catchThrowableOfType(InvalidSettingsException.class, () -> StartChecks.run(copy, "test"));
    assertThat(refused.problems())
        .extracting(Problem::path)
        .containsExactlyInAnyOrder("kafka.topics.models", "kafka.topics.training-log");
    assertThat(refused.problems())
        .allSatisfy(
            problem -> assertThat(problem.allowed()).contains("main is pipeline secured's"));
    Pipeline another =
        PipelineFile.parse(
                PIPELINE
                    .replace("pipeline: secured", "pipeline: copy")
                    .replace("name: main", "name: another")
                    .replace("{}", "{" + login("admin", SECRET + "admin") + "}"),
                "test")
            .withBootstrap(broker.bootstrap());
    try (TopicAdmin topics = new TopicAdmin(another)) {
      assertThat(topics.create(1, Optional.of((short) 1), new ArrayList<>())).hasSize(2);
    }
    assertThat(StartChecks.run(another, "test"))
        .anyMatch(warning -> warning.contains("pipeline secured writes to examples as well"));
  }

  private static void send(
      KafkaProducer<byte[], byte[]> producer, String topic, String key, String value) {
    producer.send(
        new ProducerRecord<>(
            topic, key.getBytes(StandardCharsets.UTF_8), value.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void eachMissingRightIsNamed() throws Exception {
    List<Right> all = rights(Party.TRAINER_JOB);
    assertThat(all).hasSizeLessThanOrEqualTo(LACKING);
    for (int i = 0; i < all.size(); i++) {
      Right missing = all.get(i);
      List<Right> others = all.stream().filter(right -> right != missing).toList();
      // Who may see what he may not use, and who does not even see it.
      for (String user : List.of("seeing" + i, "blind" + i)) {
        grant(others, user);
        if (user.startsWith("seeing")) {
          TestingAcls.give(admin, List.of(binding(missing, user, AclOperation.DESCRIBE)));
        }
        InvalidSettingsException refused =
            catchThrowableOfType(
                InvalidSettingsException.class, () -> StartChecks.run(as(user), "test"));
        assertThat(refused).as("%s lacks %s", user, missing).isNotNull();
        assertThat(refused.problems()).as(refused.getMessage()).hasSize(1);
        assertThat(refused.problems().get(0).value()).isEqualTo(missing.name());
        assertThat(refused.problems().get(0).allowed())
            .contains("this user has the right " + missing.operation());
        assertThat(refused.getMessage()).doesNotContain(SECRET);
      }
    }
  }

  /** On topics of its own each, of which one is wanted that it may not make, or not enlarge. */
  @Test
  void eachMissingRightOfWhoMakesTopicsIsNamed() throws Exception {
    List<Right> all = rights(Party.TOPICS_CREATE);
    assertThat(all).hasSizeLessThanOrEqualTo(LACKING);
    for (int i = 0; i < all.size(); i++) {
      Pipeline own = own("maker" + i, i, 1);
      Pipeline larger = own("maker" + i, i, 2);
      List<Right> needed =
          Right.of(own).stream().filter(right -> right.who() == Party.TOPICS_CREATE).toList();
      Right missing = needed.get(i);
      grant(needed.stream().filter(right -> right != missing).toList(), "maker" + i);
      try (TopicAdmin other = new TopicAdmin(own("admin", i, 1));
          TopicAdmin topics = new TopicAdmin(own);
          TopicAdmin again = new TopicAdmin(larger)) {
        if (missing.operation() != AclOperation.CREATE) {
          other.create(1, Optional.of((short) 1), new ArrayList<>());
          StartChecks.runAndClaim(own("admin", i, 1), "test", problems -> {});
        }
        InvalidSettingsException refused =
            catchThrowableOfType(
                InvalidSettingsException.class,
                () -> {
                  topics.create(1, Optional.of((short) 1), new ArrayList<>());
                  again.create(1, Optional.of((short) 1), new ArrayList<>());
                });
        assertThat(refused).as("without %s", missing).isNotNull();
        assertThat(refused.problems())
            .as(refused.getMessage())
            .anyMatch(
                problem ->
                    problem.value().equals(missing.name())
                        && problem.allowed().contains("the right " + missing.operation()));
      }
    }
  }

  private static Pipeline own(String user, int number, int models) {
    String text = PIPELINE.replace("pipeline: secured", "pipeline: own" + number);
    String topics =
        "examples: t%d-e, training-log: t%d-l, impressions: t%d-i, click: t%d-c,"
            + " models: t%d-m, metrics: t%d-s, dead-letters: t%d-d";
    text =
        text.replace(
                "examples: examples, training-log: training-log", topics.replace("%d", "" + number))
            .replace("{}", "{" + login(user, SECRET + user) + "}");
    if (models > 1) {
      String model = "  - {name: main, kind: shared-bottom, bottom: [4], tower: [4]}\n";
      text = text.replace(model, model + model.replace("main", "second"));
    }
    return PipelineFile.parse(text, "test").withBootstrap(broker.bootstrap());
  }

  @Test
  void whoHasNoRightsIsToldAllOfThem() throws Exception {
    InvalidSettingsException refused =
        catchThrowableOfType(
            InvalidSettingsException.class, () -> StartChecks.run(as("none"), "test"));
    assertThat(refused.problems())
        .as(refused.getMessage())
        .hasSameSizeAs(rights(Party.TRAINER_JOB));
    Path file =
        Files.writeString(
            folder.resolve("none.yaml"),
            PIPELINE.replace("{}", "{" + login("none", SECRET + "none") + "}"));
    var checked =
        TestingCommand.run(
            "topics", "check", "--pipeline", file.toString(), "--bootstrap", broker.bootstrap());
    assertThat(checked.code()).isEqualTo(2);
    assertThat(checked.err()).contains("transactional ids: 'freshet-secured-'");
    var created =
        TestingCommand.run(
            "topics", "create", "--pipeline", file.toString(), "--bootstrap", broker.bootstrap());
    assertThat(created.code()).isEqualTo(2);
    assertThat(created.err())
        .contains(
            "kafka.topics.click: 'click'; allowed: a topic on which this user has the right CREATE");
  }

  @Test
  void aReplicaWithoutRightsSaysSo() throws Exception {
    try (ModelReplica replica = ModelReplica.follow(as("none"), "main")) {
      while (replica.state().waiting() != Waiting.ACCESS) {
        Thread.sleep(20);
      }
      assertThat(replica.state().detail())
          .isEqualTo(
              "the Kafka broker at %s: Not authorized to access topics: [models]"
                  .formatted(broker.bootstrap()));
    }
  }

  @Test
  void wrongLoginsAreOneLineWithoutSecrets() {
    String at = broker.bootstrap();
    refused(
        login("trainer", "hush-wrong"),
        "the Kafka broker at %s does not take the credentials in kafka.properties.sasl.jaas.config"
            .formatted(at));
    refused(
        login("trainer", "hush-trainer")
            .replace("mechanism: PLAIN", "mechanism: SCRAM-SHA-512")
            .replace("plain.Plain", "scram.Scram"),
        "the Kafka broker at %s does not take the login of kafka.properties.sasl.mechanism; allowed: PLAIN"
            .formatted(at));
    refused(
        "",
        "the Kafka broker at %s wants a login; kafka.properties.security.protocol is PLAINTEXT, allowed: SASL_PLAINTEXT"
            .formatted(at));
    refused(
        login("trainer", "hush-trainer").replace("SASL_PLAINTEXT", "SASL_SSL"),
        "the Kafka broker at %s speaks no TLS; kafka.properties.security.protocol is SASL_SSL, allowed: SASL_PLAINTEXT"
            .formatted(at));
  }

  private static void refused(String properties, String message) {
    Pipeline pipeline = pipeline(properties);
    assertThatThrownBy(() -> StartChecks.run(pipeline, "test"))
        .isInstanceOf(NoBrokerException.class)
        .hasMessage(message);
  }
}
