package dev.freshet.topics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.settings.Problems;
import dev.freshet.core.settings.Problems.Problem;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClientPropertiesTest {

  private static final String MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule";

  private static List<Problem> problems(String properties) {
    Problems problems = new Problems();
    ClientProperties.check(
        TestingPipelines.shop("tasks:", "kafka: {properties: {" + properties + "}}\ntasks:"),
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
                    + " sasl.mechanism: PLAIN, max.poll.records: '3', of.a.plugin: x"))
        .isEmpty();
  }

  @Test
  void leavesReferencesToTheirProviders() {
    String reference = "sasl.jaas.config: '${dir:/secrets:sasl.jaas.config}'";
    assertThat(problems(reference + ", config.providers: dir")).isEmpty();
    assertThat(problems(reference)).hasSize(1);
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
