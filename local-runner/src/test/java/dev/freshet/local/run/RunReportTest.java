package dev.freshet.local.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.training.evaluation.TaskQuality;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class RunReportTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** The report has all that is measured, and the document names all that it has. */
  @Test
  void qualityIsAllThatIsMeasuredAndDocumented() throws Exception {
    Pipeline pipeline = TestingPipelines.shop();
    String document = Files.readString(Path.of("..", "docs", "command-line.md"));
    String row =
        document.lines().filter(line -> line.startsWith("| `quality.")).findAny().orElseThrow();
    for (Task task : pipeline.tasks()) {
      ObjectNode metrics = JSON.createObjectNode();
      ObjectNode own = metrics.putObject("quality").putObject(task.name());
      TaskQuality measured = new TaskQuality(pipeline.tasks(), 0);
      int index = pipeline.tasks().indexOf(task);
      for (int i = 0; i < 40; i++) {
        measured.add(index, 0.1 + i % 7 / 10.0, i % 2);
      }
      measured.quality().byKey().get(task.name()).forEach(own::put);
      own.put("slope", 0.5);
      ObjectNode told = RunReport.taskQuality(metrics, task, false);
      assertThat(told.path("examples").asLong()).isEqualTo(40);
      measured
          .quality()
          .byKey()
          .get(task.name())
          .keySet()
          .forEach(name -> assertThat(told.has(name)).as(name).isTrue());
      assertThat(told.has("slope")).isEqualTo(task.binary());
      told.fieldNames().forEachRemaining(name -> assertThat(row).contains("`" + name + "`"));
    }
  }

  @Test
  void whatAModelCouldNotLearnIsInNoCountOfEvents() throws Exception {
    ObjectNode report = JSON.createObjectNode();
    RunReport.reasons(
        report,
        new TreeMap<>(Map.of("ahead", 1L, "late", 2L, "skipped-batch", 64L, "wrong-type", 3L)));
    assertThat(JSON.readTree(report.toString()))
        .isEqualTo(
            JSON.readTree(
                """
                {"rejected": {"ahead": 1, "wrong-type": 3},
                 "dropped": {"late": 2},
                 "notLearnt": {"skipped-batch": 64}}
                """));
  }
}
