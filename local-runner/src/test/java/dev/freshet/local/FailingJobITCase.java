package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A whole job that cannot go on: the terminal says why, and what to do, and nothing is left. */
@Timeout(value = 8, unit = TimeUnit.MINUTES)
class FailingJobITCase {

  private static final String PIPELINE =
      """
      pipeline: failing
      tasks:
        - {name: click, kind: binary, window: 10m}
      features:
        - {name: user_id, kind: categorical, dim: 4}
      models:
        - {name: main, kind: shared-bottom, bottom: [4], tower: [4]}
      training: {batch: 16, max-wait: 0ms, max-norm: 1e-9, max-skipped: 3}
      """;

  @TempDir private Path folder;

  @Test
  void theTerminalSaysWhy() throws Exception {
    List<String> impressions = new ArrayList<>();
    List<String> clicks = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      long time = 1_767_225_600_000L + i * 10_000L;
      impressions.add(
          "{\"impression_id\":\"i%d\",\"event_time\":%d,\"features\":{\"user_id\":\"u%d\"}}"
              .formatted(i, time, i % 7));
      if (i % 3 == 0) {
        clicks.add(
            "{\"impression_id\":\"i%d\",\"event_id\":\"c\",\"kind\":\"click\",\"event_time\":%d}"
                .formatted(i, time + 1000));
      }
    }
    Path temporary = Files.createDirectories(folder.resolve("temporary"));
    TestingProcesses processes = new TestingProcesses(folder);
    Process replay =
        processes.startGroup(
            "replay",
            Map.of("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + temporary),
            "replay",
            "--pipeline",
            Files.writeString(folder.resolve("failing.yaml"), PIPELINE).toString(),
            "--impressions",
            Files.write(folder.resolve("impressions.jsonl"), impressions).toString(),
            "--feedback",
            Files.write(folder.resolve("clicks.jsonl"), clicks).toString());
    List<ProcessHandle> children = new ArrayList<>();
    while (replay.isAlive()) {
      replay.descendants().filter(child -> !children.contains(child)).forEach(children::add);
      TimeUnit.MILLISECONDS.sleep(100);
    }
    assertThat(replay.exitValue()).as(processes.said("replay")).isEqualTo(1);

    List<String> lines = Files.readAllLines(processes.output("replay"));
    int failed = lines.indexOf("The job failed 4 times, and is not restarted again:");
    assertThat(failed).as(processes.said("replay")).isNotNegative();
    assertThat(lines.get(failed + 1))
        .startsWith(
            "  training main: model main, step 0: 3 batches in a row cannot be learnt, of the last a"
                + " gradient's norm is not finite or above 1.0E-9")
        .contains("task click")
        .containsPattern(
            "of 16 examples those of these impressions are the furthest off: i\\d+, i\\d+");
    assertThat(lines.get(failed + 2))
        .startsWith("What may help: look at the events of these impressions");
    assertThat(lines.get(failed + 3)).startsWith("the log file has the details: ");
    assertThat(lines).hasSize(failed + 4);
    assertThat(lines).filteredOn(line -> line.startsWith("A step failed: ")).hasSize(1);
    assertThat(lines)
        .noneMatch(line -> line.contains("Exception") || line.contains("org.apache"))
        .noneMatch(line -> line.contains("Recovery is suppressed"));

    assertThat(children).as("the broker").isNotEmpty();
    TestingProcesses.await(() -> children.stream().noneMatch(ProcessHandle::isAlive));
    try (Stream<Path> left = Files.list(temporary)) {
      assertThat(left.map(file -> file.getFileName().toString()))
          .noneMatch(name -> !name.startsWith("hsperfdata"));
    }
  }
}
