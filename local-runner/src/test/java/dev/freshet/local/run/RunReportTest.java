package dev.freshet.local.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class RunReportTest {

  private static final ObjectMapper JSON = new ObjectMapper();

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
