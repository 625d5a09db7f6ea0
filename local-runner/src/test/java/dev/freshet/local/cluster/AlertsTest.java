package dev.freshet.local.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Alerts are written once, in {@code monitoring/}; what the Prometheus operator reads is made of
 * that. To write it: {@code -Dgolden.write=true}.
 */
class AlertsTest {

  private static final Path RULES = Path.of("../monitoring/alerts.yaml");
  private static final Path MANIFEST = TestingManifests.FOLDER.resolve("base/alerts.yaml");

  private static final String HEAD =
      """
      # Made of monitoring/alerts.yaml, where each is to be changed and tested: docs/monitoring.md.
      apiVersion: monitoring.coreos.com/v1
      kind: PrometheusRule
      metadata: {name: freshet}
      spec:
      """;

  @Test
  void kubernetesHasTheSameAlerts() throws IOException {
    String rules = Files.readString(RULES);
    String manifest =
        HEAD
            + rules
                .substring(rules.indexOf("groups:\n"))
                .lines()
                .map(line -> line.isBlank() ? "\n" : "  " + line + "\n")
                .collect(Collectors.joining());
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(MANIFEST, manifest);
    }
    assertThat(Files.readString(MANIFEST))
        .as("%s is stale: -Dgolden.write=true", MANIFEST)
        .isEqualTo(manifest);
    assertThat(TestingManifests.documents(MANIFEST).get(0).at("/spec/groups"))
        .isEqualTo(TestingManifests.documents(RULES).get(0).path("groups"))
        .isNotEmpty();
  }
}
