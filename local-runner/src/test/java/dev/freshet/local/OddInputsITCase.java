package dev.freshet.local;

import static dev.freshet.local.TestingProcesses.lastLine;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Inputs with something odd in them, replayed as users do: what is odd spoils nothing, and is told
 * where they look.
 */
class OddInputsITCase {

  private static final Path CASES = Path.of("..", "..", "shared", "cases");

  @TempDir private Path folder;
  private TestingProcesses processes;

  @BeforeEach
  void open() {
    assumeTrue(Files.exists(CASES), "skipped: the shared cases are not here");
    processes = new TestingProcesses(folder);
  }

  @Test
  void whatIsOddSpoilsNothingAndIsTold() throws Exception {
    JsonNode base = replayed("00-base");
    assertThat(base.path("quality").path("main").path("click").path("auc").asDouble())
        .isGreaterThan(0.7);

    JsonNode huge = replayed("02-amount-1e200-zscore");
    assertThat(huge.path("learning").path("main").path("clippedLabels").asLong()).isEqualTo(1);
    assertThat(said("02-amount-1e200-zscore")).contains("impression i647: 1.0E200 is learnt as");
    sameQuality(huge, base);

    JsonNode skewed = replayed("05-clock-skew");
    assertThat(skewed.path("skewed").asLong()).isEqualTo(235);
    assertThat(skewed.path("skewedSample").asText()).contains("before what it follows from");
    assertThat(said("05-clock-skew"))
        .contains("Clocks differ: 235 events count")
        .contains("the first: " + skewed.path("skewedSample").asText());
    sameQuality(skewed, base);
  }

  @Test
  void fieldsThatAreMisspeltAreToldWithWhatWasMeant() throws Exception {
    assertThat(String.join("\n", processes.runTo(2, "typo", replay("15-typo-field"))))
        .contains("userId (did you mean 'user_id'?), itemId (did you mean 'item_id'?), ")
        .contains("prise (did you mean 'price'?), which stand under `features`")
        .contains("Nothing was started");
  }

  private JsonNode replayed(String name) throws Exception {
    return lastLine(processes.run(name, replay(name)));
  }

  private String said(String name) throws Exception {
    return Files.readString(processes.output(name));
  }

  private static String[] replay(String name) {
    Path files = CASES.resolve(name);
    return new String[] {
      "replay",
      "--json",
      "--pipeline",
      files.resolve("pipeline.yaml").toString(),
      "--impressions",
      files.resolve("impressions.jsonl.gz").toString(),
      "--feedback",
      files.resolve("feedback.jsonl.gz").toString()
    };
  }

  private static void sameQuality(JsonNode one, JsonNode other) {
    assertThat(one.path("examples")).isEqualTo(other.path("examples"));
    for (String task : List.of("click", "purchase")) {
      JsonNode is = one.path("quality").path("main").path(task);
      JsonNode was = other.path("quality").path("main").path(task);
      for (String metric : List.of("normalizedEntropy", "calibration")) {
        assertThat(is.path(metric).asDouble())
            .as("%s of %s", metric, task)
            .isCloseTo(was.path(metric).asDouble(), within(0.01));
      }
    }
  }
}
