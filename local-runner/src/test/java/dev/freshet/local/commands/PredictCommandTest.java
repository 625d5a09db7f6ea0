package dev.freshet.local.commands;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.Impression;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.replica.Prediction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PredictCommandTest {

  private static final Pipeline PIPELINE =
      PipelineFile.parse(
          TestingPipelines.SHOP.replace(
              "models:",
              "  - {name: recent, kind: count, of: click, by: item, half-life: 1h}\nmodels:"),
          "test");

  private final EventReader reader = PIPELINE.lineReader();

  private Impression impression(String features) {
    String json =
        "{\"impression_id\": \"x\", \"event_time\": 1767225600000, \"features\": " + features + "}";
    return reader.impression(json.getBytes(StandardCharsets.UTF_8)).event();
  }

  @Test
  void aCountThatNoRequestBringsIsAWarningAndAnyOtherFieldAProblem() {
    List<String> problems = new ArrayList<>();
    List<String> warnings = new ArrayList<>();
    PredictCommand.absent(reader.fieldCounts(), Set.of("recent"), problems, warnings);
    assertThat(problems).as("of no impressions").isEmpty();
    impression("{\"user\": \"u\", \"item\": \"i\", \"price\": 3}");
    impression("{\"user\": \"u\"}");
    PredictCommand.absent(reader.fieldCounts(), Set.of("recent"), problems, warnings);
    assertThat(problems).containsExactly("field tags is absent in all 2 impressions");
    assertThat(warnings)
        .singleElement()
        .asString()
        .startsWith("field recent is absent in all 2 impressions: it is a count")
        .contains("docs/features.md#counts-of-the-stream");
  }

  @Test
  void aLineSaysWhatTheModelDoesNotKnow() {
    Impression shown = impression("{}");
    Map<String, Double> scores = Map.of("click", 0.25);
    Prediction known = new Prediction("9-1", scores, List.of(), List.of());
    assertThat(PredictCommand.line(shown, known).toString())
        .isEqualTo("{\"impression_id\":\"x\",\"version\":\"9-1\",\"scores\":{\"click\":0.25}}");
    Prediction partly = new Prediction("9-1", scores, List.of("recent"), List.of("user", "item"));
    assertThat(PredictCommand.line(shown, partly).path("warnings").toString())
        .isEqualTo("{\"missing\":[\"recent\"],\"unknown\":[\"user\",\"item\"]}");
  }
}
