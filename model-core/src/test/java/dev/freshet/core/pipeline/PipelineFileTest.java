package dev.freshet.core.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.freshet.core.models.htlnet.HtlNet;
import dev.freshet.core.settings.InvalidSettingsException;
import dev.freshet.core.training.TrainingSettings.Scoring;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PipelineFileTest {

  @Test
  void readsWhatIsThereAndFillsInDefaults() {
    Pipeline pipeline = TestingPipelines.shop();
    assertThat(pipeline.tasks().get(1).window()).isEqualTo(Duration.ofHours(1));
    assertThat(pipeline.model("main"))
        .isInstanceOfSatisfying(
            HtlNet.class,
            m -> {
              assertThat(m.tower()).containsExactly(16, 8);
              assertThat(m.alpha()).isEqualTo(1.0);
            });
    assertThat(pipeline.topic(SystemTopic.MODELS)).isEqualTo("models");
    assertThat(pipeline.feedbackTopics()).containsEntry("click", "click");
    assertThat(pipeline.publishing().everyCheckpoints()).isEqualTo(1);
  }

  @Test
  void reportsEveryProblemAtOnceWithPathValueAndWhatIsAllowed() {
    String broken =
        """
        pipeline: test
        kafka: {format: xml}
        tasks:
          - {name: click, kind: binary, window: soon}
          - {name: revenue, kind: money, window: 1h}
        labels: {holdout: 1.5, corection: wait}
        features:
          - {name: user, kind: categorical, dim: zero}
        models:
          - {name: main, kind: transformer}
          - {name: plain, kind: htlnet, alpha: 2}
        publishing: {keep: 1}
        """;
    InvalidSettingsException e =
        catchThrowableOfType(
            InvalidSettingsException.class, () -> PipelineFile.parse(broken, "p.yaml"));
    assertThat(e.problems().stream().map(p -> p.path()))
        .containsExactlyInAnyOrder(
            "kafka.format",
            "tasks[0].window",
            "tasks[1].kind",
            "labels.holdout",
            "labels.corection",
            "features[0].dim",
            "models[0].kind",
            "models[1].alpha",
            "publishing.keep");
    assertThat(e.getMessage())
        .startsWith("p.yaml: 9 problems")
        .contains("tasks[0].window: 'soon'; allowed: a duration such as")
        .contains(
            "models[0].kind: 'transformer'; allowed: one of htlnet, adaftr, tafe, single-task")
        .contains("labels.corection: 'corection'; allowed: one of the keys ")
        .contains("did you mean 'correction'?");
  }

  @Test
  void checksWhatConcernsSeveralKeys() {
    problem("tasks[1].after", "after: click", "after: purchase");
    problem("tasks[1].kind", "purchase, kind: binary", "purchase, kind: continuous");
    problem("models[1].name", "name: plain", "name: main");
    problem("models[1].name", "name: plain", "name: Main");
    problem("kafka.topics.clicks", "tasks:", "kafka: {topics: {clicks: x}}\ntasks:");
    problem("models[1].kind", "kind: shared-bottom, bottom: [16], tower: [8]", "kind: tafe");
    problem("pipeline", "pipeline: test", "pipeline: Test!");
  }

  @Test
  void judgesEarlyLearnersByWhatTheySaidAtTheImpression() {
    assertThat(TestingPipelines.shop().training().scoring().at()).isEqualTo(Scoring.At.LABEL);
    String early = "{correction: es-dfm, orphan-wait";
    assertThat(TestingPipelines.shop("{orphan-wait", early).training().scoring().at())
        .isEqualTo(Scoring.At.IMPRESSION);
    String click = "{name: click, kind: binary,";
    String refused =
        TestingPipelines.SHOP
            .replace(click, click + " correction: window,")
            .replace("{window: 8000}", "{window: 8000, at: label}");
    assertThatThrownBy(() -> PipelineFile.parse(refused, "p.yaml"))
        .isInstanceOf(InvalidSettingsException.class)
        .hasMessageContaining("training.scoring.at: 'label'; allowed: impression");
  }

  @Test
  void reportsFaultsOfMeaningBesideFaultsOfForm() {
    String broken =
"""
pipeline: test
kafka:
  topics: {impressions: "a b", metrics: models, dead-letters: dead.x, examples: dead_x, clik: c}
  properties: {isolation.level: read_uncommitted}
tasks:
  - {name: click, kind: binary, window: 0s, transform: zscore}
  - {name: models, kind: binary, after: clik, window: -5m}
  - {name: revenue, kind: continuous, window: 1h, aggregate: summ}
labels: {holdout: 1.0}
features:
  - {name: user, kind: categorical, dim: -4, buckets: 3}
  - {name: price, kind: numeric, buckets: 3, from: 5, to: 2, many: true}
  - {name: price, kind: numeric, edges: [1, x, 0]}
models:
  - {name: "a/b", kind: htlnt}
  - {name: "", kind: esmm, tower: [0]}
  - {name: pair, kind: adaftr, identity: [usr]}
  - {name: Pair, kind: tafe, reduction: 0}
training: {scoring: {from: 2026-02-01, to: 2026-01-01, watch: {field: prices}}}
publishing: {keep: 1, every: never}
""";
    InvalidSettingsException e =
        catchThrowableOfType(
            InvalidSettingsException.class, () -> PipelineFile.parse(broken, "p.yaml"));
    assertThat(e.problems().stream().map(p -> p.path()))
        .containsExactlyInAnyOrder(
            "kafka.topics.impressions",
            "kafka.topics.metrics",
            "kafka.topics.examples",
            "kafka.topics.clik",
            "kafka.properties.isolation.level",
            "tasks[0].window",
            "tasks[0].transform",
            "tasks[1].name",
            "tasks[1].after",
            "tasks[1].window",
            "tasks[2].aggregate",
            "labels.holdout",
            "features[0].dim",
            "features[0].buckets",
            "features[1].to",
            "features[1].many",
            "features[2].name",
            "features[2].edges[1]",
            "models[0].kind",
            "models[1].name",
            "models[1].tower",
            "models[2].identity",
            "models[3].name",
            "models[3].kind",
            "models[3].reduction",
            "training.scoring.to",
            "training.scoring.watch.field",
            "publishing.keep",
            "publishing.every");
    assertThat(e.getMessage())
        .contains("models[0].kind: 'htlnt'")
        .contains("did you mean 'htlnet'?")
        .contains("'clik'; allowed: one of impression, click; did you mean 'click'?")
        .contains("models[2].identity: 'usr'; allowed: one of user, price, price");
  }

  @Test
  void takesNoNameThatHasAnotherUseOrIsIllegal() {
    for (String name :
        List.of("models", "impressions", "impression", "examples", "example", "dead-letters")) {
      problem("tasks[0].name", "name: click", "name: " + name);
    }
    for (String name : List.of("''", "a/b", "a.b", "-a", "a b", "\u00e9", "..", "x".repeat(64))) {
      problem("models[1].name", "name: plain", "name: " + name);
    }
    String longest = "x".repeat(249);
    for (String topic : List.of("''", ".", "..", "a/b", "a b", "\u00e9", "__x", longest + "x")) {
      problem("kafka.topics.click", "tasks:", "kafka: {topics: {click: " + topic + "}}\ntasks:");
    }
    assertThat(
            TestingPipelines.shop(
                    "tasks:",
                    "kafka: {topics: {click: c, purchase: c, models: " + longest + "}}\ntasks:")
                .feedbackTopics())
        .as("tasks may share a topic")
        .containsKeys("c", "revenue");
    for (String brokers : List.of("''", "host", "host:0", "host:99999", "a:1,,b:2", "a:1;b:2")) {
      problem("kafka.bootstrap", "tasks:", "kafka: {bootstrap: \"" + brokers + "\"}\ntasks:");
    }
    for (String brokers : List.of("a:1, b.c:65535", "[::1]:9092", "SASL_SSL://k-1:9093")) {
      assertThat(TestingPipelines.shop("tasks:", "kafka: {bootstrap: \"" + brokers + "\"}\ntasks:"))
          .isNotNull();
    }
  }

  @Test
  void showsNoSecret() {
    String secret = "hush-hush";
    String properties =
        "{sasl.jaas.config: 'x password=\"" + secret + "\";', ssl.key.password: " + secret + "}";
    String kafka = "kafka: {properties: " + properties + "}\ntasks:";
    Pipeline pipeline = TestingPipelines.shop("tasks:", kafka);
    assertThat(pipeline.kafka().properties()).containsEntry("ssl.key.password", secret);
    assertThat(pipeline.toString()).contains("ssl.key.password").doesNotContain(secret);
    assertThat(pipeline.fingerprint()).isEqualTo(TestingPipelines.shop().fingerprint());
    for (String broken :
        List.of(
            kafka.replace("ssl.key.password: " + secret, "ssl.key.password: [" + secret + "]"),
            "kafka: {properties: 'sasl.jaas.config=" + secret + "'}\ntasks:",
            "kafka: {properties: [" + secret + "]}\ntasks:",
            "kafka: {bootstrap: 'me:" + secret + "@host:9092'}\ntasks:",
            "kafka:\n  properties:\n    sasl.jaas.config: \"" + secret + "\n: {\ntasks:",
            "kafka:\n  properties:\n    ssl.key.password: %" + secret + "\n  - x\ntasks:")) {
      assertThatThrownBy(() -> TestingPipelines.shop("tasks:", broken))
          .as(broken)
          .isInstanceOf(InvalidSettingsException.class)
          .message()
          .doesNotContain(secret);
    }
  }

  private static void problem(String path, String part, String replacement) {
    assertThatThrownBy(() -> TestingPipelines.shop(part, replacement))
        .isInstanceOfSatisfying(
            InvalidSettingsException.class,
            e -> assertThat(e.problems().get(0).path()).isEqualTo(path));
  }

  @Test
  void saysWhereTheYamlBreaks() {
    assertThatThrownBy(() -> PipelineFile.parse("pipeline: [", "p.yaml"))
        .isInstanceOf(InvalidSettingsException.class)
        .hasMessageContaining("line ")
        .hasMessageContaining("valid YAML");
  }

  @Test
  void everyShippedPipelineIsValid() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("..", "pipelines"))) {
      List<Path> all = files.toList();
      assertThat(all).hasSizeGreaterThanOrEqualTo(2);
      for (Path file : all) {
        assertThat(PipelineFile.read(file).models()).as("%s", file).isNotEmpty();
      }
    }
  }
}
