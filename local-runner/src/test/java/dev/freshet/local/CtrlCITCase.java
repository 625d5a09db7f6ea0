package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.core.pipeline.PipelineFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Signals as a terminal sends them, to all processes of the command: it ends in order, with its
 * figures, and leaves neither a process nor a folder.
 */
@Timeout(value = 8, unit = TimeUnit.MINUTES)
class CtrlCITCase {

  @TempDir private Path folder;
  private TestingProcesses processes;
  private Path temporary;

  @BeforeEach
  void open() throws Exception {
    assumeTrue(
        Stream.of("/usr/bin/setsid", "/bin/setsid").anyMatch(f -> Files.exists(Path.of(f))),
        "no setsid here");
    processes = new TestingProcesses(folder);
    temporary = Files.createDirectories(folder.resolve("temporary"));
  }

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143"})
  void endsInOrder(String signal, int code) throws Exception {
    Process demo = demo();
    TestingProcesses.await(() -> said("examples/s") || !demo.isAlive());
    List<ProcessHandle> children = demo.descendants().toList();
    assertThat(children).as("the broker").isNotEmpty();
    send(signal, demo);
    assertThat(demo.waitFor(2, TimeUnit.MINUTES)).as(processes.said("demo")).isTrue();
    assertThat(demo.exitValue()).as(processes.said("demo")).isEqualTo(code);

    List<String> lines = Files.readAllLines(processes.output("demo"));
    int stopping = lines.indexOf("Stopping; once more ends at once");
    assertThat(stopping).isNotNegative();
    assertThat(lines.subList(stopping, lines.size()))
        .as("figures, and no exception, follow")
        .anyMatch(line -> line.contains("examples/s"))
        .noneMatch(line -> line.contains("Exception"));
    JsonNode report = TestingProcesses.lastLine(lines);
    assertThat(report.path("ended").asText()).isEqualTo("interrupted");
    assertThat(report.path("events").path("impression").asLong()).isPositive();
    nothingIsLeft(children);
  }

  @ParameterizedTest
  @CsvSource("INT, 130")
  void theSecondEndsAtOnce(String signal, int code) throws Exception {
    Process demo = demo();
    TestingProcesses.await(() -> said("Kafka at") || !demo.isAlive());
    List<ProcessHandle> children = demo.descendants().toList();
    send(signal, demo);
    TestingProcesses.await(() -> said("Stopping") || !demo.isAlive());
    send(signal, demo);
    assertThat(demo.waitFor(2, TimeUnit.MINUTES)).as(processes.said("demo")).isTrue();
    assertThat(demo.exitValue()).as(processes.said("demo")).isEqualTo(code);
    nothingIsLeft(children);
  }

  @Test
  void tuningWritesTheBestSoFar() throws Exception {
    StringBuilder shown = new StringBuilder();
    StringBuilder clicked = new StringBuilder();
    for (int i = 0; i < 30_000; i++) {
      String id =
          "{\"impression_id\":\"i%d\",\"event_time\":%d,"
              .formatted(i, 1_767_225_600_000L + i * 500L);
      shown.append(id).append("\"features\":{\"user\":\"u%d\"}}%n".formatted(i * 7 % 50));
      if (i * 7 % 50 * (i % 13) > 300) {
        clicked.append(id).append("\"event_id\":\"c\",\"kind\":\"click\"}\n");
      }
    }
    Path pipeline = folder.resolve("p.yaml");
    Files.writeString(
        pipeline,
        """
        pipeline: p
        tasks: [{name: click, kind: binary, window: 1m}]
        features: [{name: user, kind: categorical}]
        models: [{name: net, kind: shared-bottom}]
        """);
    Path tuned = folder.resolve("tuned.yaml");
    Process tune =
        processes.startGroup(
            "tune",
            Map.of("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + temporary),
            "tune",
            "--pipeline",
            pipeline.toString(),
            "--impressions",
            Files.writeString(folder.resolve("shown.jsonl"), shown).toString(),
            "--feedback",
            Files.writeString(folder.resolve("clicked.jsonl"), clicked).toString(),
            "--out",
            tuned.toString());
    Path output = processes.output("tune");
    TestingProcesses.await(
        () -> Files.readString(output).contains("Round 2 of 3, ") || !tune.isAlive());
    send("INT", tune);
    assertThat(tune.waitFor(2, TimeUnit.MINUTES)).as(processes.said("tune")).isTrue();
    assertThat(tune.exitValue()).as(processes.said("tune")).isEqualTo(130);
    assertThat(Files.readString(output)).contains("Stopped early; ").doesNotContain("Exception");
    assertThat(PipelineFile.read(tuned).models()).hasSize(1);
    nothingIsLeft(List.of());
  }

  private void nothingIsLeft(List<ProcessHandle> children) throws Exception {
    TestingProcesses.await(() -> children.stream().noneMatch(ProcessHandle::isAlive));
    try (Stream<Path> left = Files.list(temporary)) {
      assertThat(left.map(file -> file.getFileName().toString()))
          .noneMatch(name -> !name.startsWith("hsperfdata"));
    }
  }

  private Process demo() throws Exception {
    return processes.startGroup(
        "demo",
        Map.of("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + temporary),
        "demo",
        "--rate",
        "300",
        "--seed",
        "7",
        "--json");
  }

  private boolean said(String text) throws Exception {
    return Files.readString(processes.output("demo")).contains(text);
  }

  private static void send(String signal, Process group) throws Exception {
    new ProcessBuilder("kill", "-" + signal, "--", "-" + group.pid()).start().waitFor();
  }
}
