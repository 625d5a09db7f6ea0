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
    assertThat(pipeline.topic("models")).isEqualTo("models");
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
        .contains("labels.corection: 'corection'; allowed: one of the keys correction");
  }

  @Test
  void checksWhatConcernsSeveralKeys() {
    problem("tasks[1].after", "after: click", "after: purchase");
    problem("tasks[1].kind", "purchase, kind: binary", "purchase, kind: continuous");
    problem("models[1].name", "name: plain", "name: main");
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
