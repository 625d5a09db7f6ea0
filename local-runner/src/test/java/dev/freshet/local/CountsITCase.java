package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.experiments.EventCounts;
import dev.freshet.local.commands.FreshetCommand;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A replay counts as an experiment does: the same numbers at every impression. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class CountsITCase {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long START = 1_767_225_600_000L;
  private static final String PIPELINE =
      """
      pipeline: counts
      tasks:
        - {name: click, kind: binary, window: 2m}
        - {name: purchase, kind: binary, after: click, window: 10m}
      labels: {holdout: 0.0}
      features:
        - {name: user, kind: categorical}
        - {name: item, kind: categorical}
        - {name: clicks, kind: count, of: click, by: item, half-life: 10m}
        - {name: rate, kind: count, of: purchase, per: click, by: item, half-life: 1h, least: 2}
        - {name: shown, kind: count, of: impression, by: user, half-life: 5m}
      models:
        - {name: net, kind: shared-bottom, bottom: [16], tower: [8]}
      publishing: {gate: {require-labels: 0}}
      """;

  @TempDir private Path folder;
  private final Random random = new Random(5);

  @Test
  void theJobTellsWhatExperimentsTell() throws Exception {
    List<String> shown = new ArrayList<>();
    List<String> answered = new ArrayList<>();
    for (int i = 0; i < 3000; i++) {
      long time = START + i * 1000L;
      shown.add(
          "{\"impression_id\":\"i%d\",\"event_time\":%d,\"features\":{%s\"user\":\"u%d\"}}"
              .formatted(
                  i,
                  time,
                  i % 50 == 0 ? "" : "\"item\":\"p%d\",".formatted(random.nextInt(20)),
                  random.nextInt(100)));
      long click = time + random.nextInt(130_000);
      if (random.nextInt(3) == 0) {
        answered.add(feedback(i, "click", click));
      }
      if (random.nextInt(6) == 0) {
        answered.add(feedback(i, "purchase", click + random.nextInt(400_000)));
      }
    }
    Pipeline pipeline = PipelineFile.parse(PIPELINE, "test");
    Path out = folder.resolve("examples.jsonl");
    int code =
        FreshetCommand.run(
            "replay",
            "--pipeline",
            Files.writeString(folder.resolve("p.yaml"), PIPELINE).toString(),
            "--impressions",
            Files.write(folder.resolve("impressions.jsonl"), shown).toString(),
            "--feedback",
            Files.write(folder.resolve("feedback.jsonl"), answered).toString(),
            "--checkpoint-every",
            "1s",
            "--examples-out",
            out.toString());
    assertThat(code).isZero();

    Map<String, double[]> told = told(pipeline, shown, answered);
    List<String> names = pipeline.schema().numeric();
    int examples = 0;
    for (String line : Files.readAllLines(out)) {
      JsonNode example = JSON.readTree(line);
      double[] numbers = told.get(example.path("impression_id").asText());
      for (int i = 0; i < numbers.length; i++) {
        assertThat(example.path("features").path(names.get(i)).asDouble(Double.NaN))
            .as("%s in %s", names.get(i), line)
            .isEqualTo(Double.valueOf(numbers[i]));
      }
      examples++;
    }
    assertThat(examples).isEqualTo(2 * 3000);
    assertThat(told.values()).filteredOn(n -> Double.isNaN(n[0])).as("without item").hasSize(60);
    assertThat(told.values()).anyMatch(n -> n[0] > 5).anyMatch(n -> n[1] > 0.2);
  }

  private static String feedback(int impression, String kind, long time) {
    return "{\"impression_id\":\"i%d\",\"event_id\":\"e\",\"kind\":\"%s\",\"event_time\":%d}"
        .formatted(impression, kind, time);
  }

  private static Map<String, double[]> told(
      Pipeline pipeline, List<String> shown, List<String> answered) {
    EventReader reader = pipeline.eventReader();
    EventCounts counts = new EventCounts(pipeline);
    for (String line : shown) {
      counts.add(reader.impression(line.getBytes(StandardCharsets.UTF_8)).event());
    }
    for (String line : answered) {
      counts.add(reader.feedback(line.getBytes(StandardCharsets.UTF_8), null).event());
    }
    Map<String, double[]> told = new TreeMap<>();
    for (Impression impression : counts.told()) {
      told.put(impression.id(), ((RawFeatures) impression.features()).numbers());
    }
    return told;
  }
}
