package dev.freshet.local.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.labels.DroppedEvent;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.PendingImpression;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.experiments.files.Lines;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The same events with clocks that agree and with clocks that do not have the same labels. */
class ClockSkewTest {

  private static final Path CASES = Path.of("..", "..", "shared", "cases");

  @Test
  void labelsAreThoseOfClocksThatAgree() throws IOException {
    assumeTrue(Files.exists(CASES), "the shared cases are not here");
    TreeMap<String, Double> labels = labels(CASES.resolve("00-base"));
    assertThat(labels).hasSizeGreaterThan(10_000);
    assertThat(labels(CASES.resolve("05-clock-skew"))).isEqualTo(labels);
  }

  private static TreeMap<String, Double> labels(Path folder) throws IOException {
    Pipeline pipeline = PipelineFile.read(folder.resolve("pipeline.yaml"));
    EventReader reader = pipeline.lineReader();
    LabelJoin join = new LabelJoin(pipeline.tasks(), pipeline.labels(), false);
    TreeMap<String, PendingImpression> pending = new TreeMap<>();
    TreeMap<String, Double> labels = new TreeMap<>();
    LabelJoin.Output output =
        new LabelJoin.Output() {
          @Override
          public void example(LabeledExample example) {
            for (int task = 0; task < example.labels().length; task++) {
              if (example.labels()[task].isFinal()) {
                labels.put(example.impression().id() + "/" + task, example.labels()[task].value());
              }
            }
          }

          @Override
          public void dropped(DroppedEvent event) {
            throw new AssertionError(event);
          }
        };
    try (BufferedReader lines = Lines.open(folder.resolve("impressions.jsonl.gz"))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        Impression event = reader.impression(line.getBytes(StandardCharsets.UTF_8)).event();
        join.onImpression(of(pending, event.id(), pipeline), event, Long.MIN_VALUE, output);
      }
    }
    try (BufferedReader lines = Lines.open(folder.resolve("feedback.jsonl.gz"))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        Feedback event = reader.feedback(line.getBytes(StandardCharsets.UTF_8), null).event();
        join.onFeedback(of(pending, event.impressionId(), pipeline), event, Long.MIN_VALUE, output);
      }
    }
    for (PendingImpression one : pending.values()) {
      while (!one.finished()) {
        join.onTimer(one, join.nextMoment(one), output);
      }
    }
    return labels;
  }

  private static PendingImpression of(
      TreeMap<String, PendingImpression> pending, String id, Pipeline pipeline) {
    return pending.computeIfAbsent(id, key -> new PendingImpression(pipeline.tasks().size()));
  }
}
