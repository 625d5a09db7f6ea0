package dev.freshet.local.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.local.run.Verdict.Problem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class VerdictTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String INPUTS =
      """
      "inputs": {"impressions": 900, "feedback": {"click": 90, "purchase": 40, "revenue": 40},
                 "absent": {"price": 0}}
      """;

  private static List<Problem> of(String latest) throws IOException {
    Pipeline pipeline = PipelineFile.read(Path.of("..", "pipelines", "shop.yaml"));
    ObjectNode report =
        (ObjectNode)
            JSON.readTree(
                """
                {"ended": "learnt", %s,
                 "rejected": {"malformed-json": 3},
                 "leftOut": {"impression": {"late": 1}},
                 "versions": {"main": {"published": 1}, "baseline": {"published": 1}},
                 "latest": {%s}}
                """
                    .formatted(INPUTS, latest));
    return Verdict.of(report, pipeline, new Verdict.Tolerance(0.5, false));
  }

  @Test
  void earlierFilesHideNothingAndAreToldOnce() throws IOException {
    assertThat(of(INPUTS + ", \"leftOut\": {}")).isEmpty();
    List<Problem> problems =
        of(
            """
            "inputs": {"impressions": 10, "feedback": {"click": 3, "purchase": 1},
                       "absent": {"price": 10, "user_id": 9}, "fields": ["prise"]},
            "leftOut": {"purchase": {"orphaned": 1}},
            "samples": {"orphaned": {"error": "its impression never came"}}
            """);
    assertThat(problems)
        .extracting(Problem::code)
        .containsExactly("absent-field", "no-label", "no-label");
    assertThat(problems.get(0).text())
        .isEqualTo(
            "field price (did you mean 'prise'?) is absent in all 10 impressions; the first has"
                + " prise");
    assertThat(problems.get(1).text())
        .isEqualTo(
            "task purchase got no label: of its 1 events orphaned 1 (its impression never came)");
  }

  @Test
  void nothingNewIsNoProblemAndFeedbackThatComesTooLateIs() throws IOException {
    String learnt =
        "\"inputs\": {\"impressions\": 0, \"feedback\": {%s}, \"afterLearnt\": 2,"
            + " \"alreadyLearnt\": {\"impression\": 5}}, \"leftOut\": {%s}";
    assertThat(of(learnt.formatted("", ""))).isEmpty();
    assertThat(of(learnt.formatted("\"click\": 2", "\"click\": {\"orphaned\": 2}")))
        .extracting(Problem::text)
        .containsExactly(
            "no feedback found its impression; that of 2 events had been learnt before they were"
                + " given: too late");
  }

  @Test
  void feedbackBeforeItsImpressionIsNotSaidToHaveNone() throws IOException {
    assertThat(
            of(
                "\"inputs\": {\"impressions\": 5, \"feedback\": {\"click\": 2}},"
                    + " \"leftOut\": {\"click\": {\"orphaned\": 2}},"
                    + " \"orphanedBy\": {\"before-parent\": 2}"))
        .extracting(Problem::text)
        .anyMatch(
            text ->
                text.startsWith(
                    "no feedback counts, and 2 events are by their clock before their impression"));
  }

  @Test
  void whatIsTooLongIsNeitherThereNorAccepted() throws IOException {
    assertThat(
            of(
                "\"inputs\": {\"impressions\": 0, \"tooLong\": 2, \"feedback\": {}},"
                    + " \"leftOut\": {}"))
        .extracting(Problem::text)
        .containsExactly(
            "there were no impressions; 2 lines were too long to be sent",
            "there was no feedback; 2 lines were too long to be sent");
  }

  @Test
  void noDeadlineAtAllIsAProblemAndSomeAreNot() throws IOException {
    String none =
        INPUTS
            + ", \"leftOut\": {}}, \"deadlines\": {\"click\": {\"absent\": 890,"
            + " \"past\": 10, \"samples\": {\"absent\": \"a\", \"past\": \"p\"}}";
    assertThat(of(none))
        .containsExactly(
            new Problem(
                "no-deadline",
                "none of 900 impressions has a deadline for task click; absent 890 (a); past 10"
                    + " (p)"));
    assertThat(of(none.replace("{\"absent\": 890", "{\"beyond\": 1, \"absent\": 890"))).isEmpty();
  }
}
