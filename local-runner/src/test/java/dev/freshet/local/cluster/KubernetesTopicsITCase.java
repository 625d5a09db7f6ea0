package dev.freshet.local.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.InvalidSettingsException;
import dev.freshet.core.settings.Problems.Problem;
import dev.freshet.local.TestingAcls;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.replica.ModelReplica;
import dev.freshet.replica.Waiting;
import dev.freshet.topics.ClientProperties;
import dev.freshet.topics.PipelineSource;
import dev.freshet.topics.StartChecks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The topics and users of k8s/ on a real broker with an authorizer, made as Strimzi makes them, and
 * the pipeline file of k8s/ with credentials from files: a password over an open connection, for
 * certificates are Strimzi's.
 */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class KubernetesTopicsITCase {

  private static final String LOGIN =
      "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"%s\""
          + " password=\"%s-secret\"";

  private static final TestingManifests MANIFESTS = TestingManifests.in("base");

  @TempDir private static Path folder;
  private static EmbeddedBroker broker;
  private static Admin admin;

  @BeforeAll
  static void start() throws Exception {
    Path kafka = Files.createDirectories(folder.resolve("kafka"));
    List<String> names = new ArrayList<>(MANIFESTS.names("KafkaUser"));
    names.add("admin");
    StringBuilder users = new StringBuilder();
    for (String name : names) {
      users.append(" user_%s=\"%s-secret\"".formatted(name, name));
      Files.writeString(
          Files.createDirectories(folder.resolve(name)).resolve("sasl.jaas.config"),
          LOGIN.formatted(name, name) + ";");
    }
    Files.writeString(
        kafka.resolve("broker.properties"),
        """
        listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
        sasl.enabled.mechanisms=PLAIN
        sasl.mechanism.inter.broker.protocol=PLAIN
        listener.name.clients.plain.sasl.jaas.config=%s%s;
        authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
        super.users=User:admin;User:ANONYMOUS
        auto.create.topics.enable=false
        """
            .formatted(LOGIN.formatted("admin", "admin"), users));
    broker = EmbeddedBroker.start(kafka);
    Map<String, Object> settings = new HashMap<>(as("admin").kafka().properties());
    settings.put("bootstrap.servers", broker.bootstrap());
    admin = Admin.create(settings);
    for (JsonNode topic : MANIFESTS.of("KafkaTopic")) {
      Map<String, String> config = new HashMap<>();
      topic
          .at("/spec/config")
          .properties()
          .forEach(entry -> config.put(entry.getKey(), entry.getValue().asText()));
      // One broker, so one replica.
      NewTopic made =
          new NewTopic(
              TestingManifests.topic(topic), topic.at("/spec/partitions").asInt(), (short) 1);
      admin.createTopics(List.of(made.configs(config))).all().get();
    }
    for (JsonNode user : MANIFESTS.of("KafkaUser")) {
      TestingAcls.give(admin, rights(user));
    }
  }

  @AfterAll
  static void stop() {
    admin.close();
    broker.close();
  }

  private static List<AclBinding> rights(JsonNode user) {
    List<AclBinding> rights = new ArrayList<>();
    for (JsonNode acl : user.at("/spec/authorization/acls")) {
      JsonNode resource = acl.path("resource");
      String type = resource.path("type").asText();
      ResourcePattern pattern =
          new ResourcePattern(
              type.equals("transactionalId")
                  ? ResourceType.TRANSACTIONAL_ID
                  : ResourceType.valueOf(type.toUpperCase(Locale.ROOT)),
              resource.path("name").asText(),
              resource.path("patternType").asText().equals("prefix")
                  ? PatternType.PREFIXED
                  : PatternType.LITERAL);
      for (String operation : TestingManifests.texts(acl.path("operations"))) {
        rights.add(
            new AclBinding(
                pattern,
                new AccessControlEntry(
                    "User:" + TestingManifests.name(user),
                    "*",
                    AclOperation.valueOf(operation.toUpperCase(Locale.ROOT)),
                    AclPermissionType.ALLOW)));
      }
    }
    return rights;
  }

  /** The pipeline as it is mounted beside a user's secret. */
  private static Pipeline as(String user) throws Exception {
    String text =
        Files.readString(TestingManifests.FOLDER.resolve("base/pipeline.yaml"))
            .replace("SASL_SSL", "SASL_PLAINTEXT")
            .replace("SCRAM-SHA-512", "PLAIN")
            .replace("/etc/freshet/kafka-user", folder.resolve(user).toString())
            // One broker here, so one replica.
            .replaceAll("(?m)^ +(replication-factor|min-insync-replicas):.*\n", "")
            .replaceAll("(?m)^ +ssl\\..*\n", "");
    Path file = Files.writeString(folder.resolve(user + ".yaml"), text);
    return ClientProperties.read(PipelineSource.of(file)).withBootstrap(broker.bootstrap());
  }

  @Test
  void theJobFindsNothingToSay() throws Exception {
    assertThat(StartChecks.run(as("freshet-job"), "test")).isEmpty();
    assertThat(StartChecks.runAndClaim(as("freshet-job"), "test", problems -> {}))
        .containsOnlyKeys("main", "baseline");
  }

  @Test
  void theServerMayReadAndNoMore() throws Exception {
    StartChecks.runAndClaim(as("freshet-job"), "test", problems -> {});
    try (ModelReplica replica = ModelReplica.follow(as("freshet-server"), "main")) {
      while (replica.state().waiting() != Waiting.VERSION) {
        assertThat(replica.state().waiting()).isNotEqualTo(Waiting.ACCESS);
        Thread.sleep(20);
      }
    }
    InvalidSettingsException refused =
        catchThrowableOfType(
            InvalidSettingsException.class, () -> StartChecks.run(as("freshet-server"), "test"));
    assertThat(refused.problems())
        .extracting(Problem::allowed)
        .allMatch(allowed -> allowed.contains("on which this user has the right"));
    assertThat(refused.problems())
        .extracting(Problem::value)
        .contains("impressions", "models", "dead-letters", "freshet-shop-");
  }
}
