package dev.freshet.topics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.settings.InvalidSettingsException;
import dev.freshet.core.settings.Problems;
import dev.freshet.core.settings.Problems.Problem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClientPropertiesTest {

  private static final String MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule";

  private static List<Problem> problems(String properties) {
    Problems problems = new Problems();
    ClientProperties.check(
        TestingPipelines.shop(
            "tasks:", "kafka: {plain-secrets: true, properties: {" + properties + "}}\ntasks:"),
        problems);
    return problems.found();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hush",
        MODULE,
        MODULE + " required username=\"me\" password=\"hush\"",
        MODULE + " hush username=\"me\";",
        MODULE + " required username= password=hush;",
        MODULE + " required username=\"me\" password=\"hush;",
        MODULE + " required password=\"hush\"; " + MODULE + " required password=\"hush\";"
      })
  void findsMalformedJaasAndDoesNotShowIt(String jaas) {
    List<Problem> found = problems("sasl.jaas.config: '" + jaas + "'");
    assertThat(found).hasSize(1);
    assertThat(found.get(0).path()).isEqualTo("kafka.properties.sasl.jaas.config");
    assertThat(found.get(0).toString()).doesNotContain("hush").contains("one login module");
  }

  @Test
  void takesWhatKafkaTakes() {
    assertThat(
            problems(
                "sasl.jaas.config: '"
                    + MODULE
                    + " required username=\"me\" password=\"p;=\";', security.protocol: SASL_SSL,"
                    + " sasl.mechanism: PLAIN, max.poll.records: '3', of.a.plugin: x,"
                    + " sasl.mechanism.of.a.plugin: y"))
        .isEmpty();
  }

  /** Kafka would pass them over, and log in as nobody. */
  @ParameterizedTest
  @CsvSource({
    "sasl.mechanisms, sasl.mechanism",
    "sasl.jaas.confg, sasl.jaas.config",
    "security_protocol, security.protocol",
    "ssl.truststore.locaiton, ssl.truststore.location",
  })
  void findsWhatIsMisspelt(String written, String meant) {
    assertThat(problems("'" + written + "': '${env:X}'"))
        .singleElement()
        .asString()
        .contains("kafka.properties." + written, "such as " + meant);
  }

  private static List<Problem> refused(String properties) {
    Problems problems = new Problems();
    ClientProperties.check(pipeline(properties), problems);
    return problems.found();
  }

  private static Pipeline pipeline(String properties) {
    return TestingPipelines.shop("tasks:", "kafka: {properties: {" + properties + "}}\ntasks:");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ssl.key.password: 'hush'",
        "ssl.keystore.password: 'hush'",
        "ssl.truststore.password: 'hush'",
        "ssl.truststore.password: 'hush${env:REST}'",
        "ssl.keystore.key: '-----BEGIN PRIVATE KEY-----hush'",
        "ssl.keystore.key: 'hush'",
        "ssl.keystore.certificate.chain: '-----BEGIN PRIVATE KEY-----hush'",
        "sasl.jaas.config: '" + MODULE + " required username=\"me\" password=\"hush\";'",
        "sasl.jaas.config: '" + MODULE + " required username=\"me\" a.plugins.own=\"hush\";'",
        "sasl.jaas.config: '" + MODULE + " required clientId=\"me\" clientSecret=\"hush\";'",
        "sasl.jaas.config: '" + MODULE + " required u=\"${env:U}\" password=\"${env:P}hush\";'",
        "sasl.oauthbearer.client.credentials.client.secret: 'hush'",
        "sasl.oauthbearer.token.endpoint.url: 'https://me:hush@login'",
        "basic.auth.user.info: 'me:hush'",
        "a.plugins.api-key: 'hush'",
        "config.providers.vault.param.token: 'hush'",
        "client.id: 'x password=hush'",
        "client.id: 'x\n-----BEGIN RSA PRIVATE KEY-----\nhush'",
      })
  void refusesSecretsInTheClear(String property) {
    List<Problem> found = refused(property.replace("\n", "\\n"));
    assertThat(found).hasSize(1);
    assertThat(found.get(0).path()).isEqualTo("kafka.properties." + property.split(":")[0]);
    assertThat(found.get(0).toString())
        .doesNotContain("hush")
        .contains("${env:NAME}", "plain-secrets");
    assertThat(problems(property)).as("allowed").isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ssl.key.password: '${env:KEY}'",
        "ssl.keystore.key: '${file:/secrets/tls.properties:key}'",
        "ssl.truststore.certificates: '-----BEGIN CERTIFICATE-----MIIB-----END CERTIFICATE-----'",
        "sasl.jaas.config: '${dir:/secrets:sasl.jaas.config}'",
        "sasl.jaas.config: '" + MODULE + " required username=\"me\" password=\"${env:PASSWORD}\";'",
        "sasl.jaas.config: 'com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true"
            + " storeKey=true keyTab=\"/secrets/me.keytab\" principal=\"me@HOST\";'",
        "basic.auth.user.info: '${env:USER_INFO}'",
        "a.plugins.password.file: '/secrets/password'",
        "ssl.keystore.location: '/secrets/key.pem'",
      })
  void takesReferencesAndWhatIsNoSecret(String property) {
    assertThat(refused(property)).isEmpty();
  }

  @Test
  void leavesReferencesToTheirProviders() {
    String reference = "ssl.key.password: '${vault:secrets:key}'";
    assertThat(refused(reference + ", config.providers: vault")).isEmpty();
    assertThat(refused(reference).toString()).contains("config.providers names");
    Pipeline own =
        pipeline(
            "ssl.key.password: '${env:KEY}', config.providers: vault,"
                + " config.providers.vault.class: of.a.Plugin");
    assertThat(own.kafka().properties())
        .containsEntry("config.providers", "vault,env")
        .containsEntry("config.providers.vault.class", "of.a.Plugin")
        .containsKey("config.providers.env.class");
  }

  @Test
  void saysWhichReferenceLeadsNowhere(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("x.properties"), "key=hush\nempty=\n");
    Files.writeString(folder.resolve("word"), "hush");
    ClientProperties.resolve(
        pipeline(
            "ssl.key.password: '${file:%s:key}', ssl.keystore.password: '${dir:%s:word}',"
                    .formatted(file, folder)
                + " ssl.truststore.password: '${env:PATH}'"));
    for (String nowhere :
        List.of(
            "${file:" + file + ":other}",
            "${file:" + file + ":empty}",
            "${file:" + folder + "/none:key}",
            "${dir:" + folder + ":none}",
            "${env:FRESHET_NO_SUCH_VARIABLE}")) {
      assertThatThrownBy(
              () -> ClientProperties.resolve(pipeline("ssl.key.password: '" + nowhere + "'")))
          .isInstanceOf(InvalidSettingsException.class)
          .hasMessageContaining("on this machine; " + nowhere + " does not");
    }
  }

  /** Kafka names an exception. */
  @Test
  void saysThatALoginIsMissing() {
    for (String protocol : List.of("SASL_SSL", "sasl_plaintext")) {
      assertThatThrownBy(() -> ClientProperties.resolve(pipeline("security.protocol: " + protocol)))
          .hasMessageContaining("kafka.properties.sasl.jaas.config: not given; allowed: a login");
    }
    ClientProperties.resolve(pipeline("security.protocol: SSL"));
  }

  @Test
  void repeatsNoValueWhateverKafkaSaysOfIt() {
    assertThat(
            problems(
                    "max.poll.records: 'x for configuration y: hush', key.deserializer.of: x,"
                        + " metric.reporters: 'hush', interceptor.classes: hush,"
                        + " sasl.login.class: hush")
                .toString())
        .contains("max.poll.records")
        .doesNotContain("hush");
  }

  @Test
  void tellsAllWrongValuesWithoutShowingThem() {
    List<Problem> found =
        problems("security.protocol: hush, max.poll.records: hush, linger.ms: '-5'");
    assertThat(found.stream().map(Problem::path))
        .containsExactly(
            "kafka.properties.linger.ms",
            "kafka.properties.max.poll.records",
            "kafka.properties.security.protocol");
    assertThat(found.toString()).doesNotContain("hush").contains("SASL_SSL");
  }
}
