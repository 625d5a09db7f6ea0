package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A replay whose process is killed again and again, at each step that it takes and at times nobody
 * chose: it ends, with the examples of an undisturbed one, each once.
 */
@Timeout(value = 24, unit = TimeUnit.MINUTES)
class ResumedReplayITCase {

  private static final long START = 1_767_225_600_000L;

  @TempDir private Path folder;
  private TestingProcesses processes;
  private Path pipeline;
  private Path data;

  @BeforeEach
  void open() throws IOException {
    processes = new TestingProcesses(folder);
    data = folder.resolve("data");
    pipeline = folder.resolve("shop.yaml");
    Files.writeString(
        pipeline,
        Files.readString(Path.of("..", "pipelines", "shop.yaml"))
            .replace("  - {name: baseline, kind: shared-bottom, amount: {loss: ziln}}\n", "")
            .replace(
                "models:\n",
                "  - {name: clicks, kind: count, of: click, by: item_id, half-life: 1h}\n"
                    + "  - {name: shown, kind: count, of: impression, by: user_id, half-life: 2h}\n"
                    + "models:\n"));
  }

  @Test
  void endsAsAnUndisturbedOne() throws Exception {
    write("a", 4000, 0);
    write("b", 1000, 4 * 3600);
    // An event of the first day about the second: it waits for nobody there, and counts here.
    append("a-feedback", feedback("b5", "click", START + 4 * 3_600_000L + 6000, ""));
    List<String> straight = processes.run("straight", replay("straight", "a", "b"));
    assertThat(TestingProcesses.lastLine(straight).path("ended").asText()).isEqualTo("learnt");
    List<String> both = examples("straight");
    assertThat(both).hasSize(3 * 5000).doesNotHaveDuplicates();
    List<String> expected = both.stream().filter(line -> line.contains("\"a")).toList();
    assertThat(expected).hasSize(3 * 4000);

    killWhen("sending", () -> Files.exists(data.resolve("run.json")));
    killWhen("no-checkpoint", () -> said("no-checkpoint", "Flink web UI"));
    killWhen("reading", () -> !TestingProcesses.checkpoints(data).isEmpty());
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < 2; i++) {
      Process process = processes.start("random-" + i, replay("killed", "a"));
      // Less than a broker, a job and the last savepoint take on any machine.
      boolean ended = process.waitFor(1000 + random.nextInt(4500), TimeUnit.MILLISECONDS);
      assertThat(ended).as("seed %d, %s", seed, processes.said("random-" + i)).isFalse();
      process.destroyForcibly().waitFor();
    }
    killWhen("emitting", () -> said("emitting", "emitting the last labels"));
    killWhen("settled", this::savepoint);

    JsonNode report = TestingProcesses.lastLine(processes.run("last", replay("killed", "a")));
    assertThat(report.path("ended").asText()).isEqualTo("learnt");
    assertThat(examples("killed")).as("seed %d", seed).containsExactlyElementsOf(expected);
    itIsOver(report);
    itGoesOnWithAnExportThatGrew(both);
  }

  private void itIsOver(JsonNode report) throws Exception {
    List<String> again = processes.run("again", replay(null, "a"));
    assertThat(again).anyMatch(line -> line.contains("learnt already"));
    assertThat(again).noneMatch(line -> line.contains("Kafka at"));
    assertThat(TestingProcesses.lastLine(again)).isEqualTo(report);
  }

  private void itGoesOnWithAnExportThatGrew(List<String> both) throws Exception {
    append("a-impressions", Files.readString(folder.resolve("b-impressions.jsonl")).strip());
    append("a-feedback", Files.readString(folder.resolve("b-feedback.jsonl")).strip());
    append("a-feedback", feedback("a1", "click", START + 2000, ""));
    killWhen("sending-more", () -> said("sending-more", "passed over"));
    List<String> said = processes.run("more", replay("killed", "a"));
    JsonNode more = TestingProcesses.lastLine(said);
    assertThat(examples("killed")).containsExactlyElementsOf(both);
    assertThat(more.path("inputs").path("impressions").asLong()).isEqualTo(5000);
    assertThat(more.path("events").path("impression").asLong()).isEqualTo(5000);
    assertThat(more.path("examples").asLong()).isEqualTo(3 * 5000);
    JsonNode latest = more.path("latest").path("inputs");
    assertThat(latest.path("impressions").asLong()).isEqualTo(1000);
    assertThat(latest.path("alreadyLearnt").path("impression").asLong()).isEqualTo(4000);
    assertThat(latest.path("alreadyLearnt").path("click").asLong()).isEqualTo(1334);
    assertThat(latest.path("alreadyLearntSample").asText()).contains("line 1: {").contains("a0");
    assertThat(latest.path("afterLearnt").asLong()).isEqualTo(1);
    assertThat(more.path("latest").path("leftOut").path("click").path("orphaned").asLong())
        .as("the click on a1")
        .isEqualTo(1);

    Files.writeString(pipeline, Files.readString(pipeline).replace("window: 10m", "window: 11m"));
    assertThat(processes.runTo(2, "other", replay("other", "b")))
        .last()
        .asString()
        .contains("another pipeline");
  }

  private void append(String file, String lines) throws IOException {
    Files.writeString(folder.resolve(file + ".jsonl"), lines + "\n", StandardOpenOption.APPEND);
  }

  private void killWhen(String name, TestingProcesses.Condition condition) throws Exception {
    Process process = processes.start(name, replay("killed", "a"));
    while (process.isAlive() && !condition.holds()) {
      TimeUnit.MILLISECONDS.sleep(5);
    }
    assertThat(process.isAlive()).as(processes.said(name)).isTrue();
    process.destroyForcibly().waitFor();
  }

  private boolean said(String name, String text) throws IOException {
    return Files.readString(processes.output(name)).contains(text);
  }

  private boolean savepoint() throws IOException {
    try (Stream<Path> files = Files.walk(data.resolve("savepoints"), 2)) {
      return files.anyMatch(file -> file.endsWith("_metadata"));
    }
  }

  /**
   * A replay of files with these names; {@code run} names its examples and, if killed, its data.
   */
  private String[] replay(String run, String... names) {
    List<String> args = new ArrayList<>(List.of("replay", "--pipeline", pipeline.toString()));
    args.add("--impressions");
    Stream.of(names).forEach(n -> args.add(folder.resolve(n + "-impressions.jsonl").toString()));
    args.add("--feedback");
    Stream.of(names).forEach(n -> args.add(folder.resolve(n + "-feedback.jsonl").toString()));
    args.addAll(List.of("--checkpoint-every", "1s", "--json"));
    if (run != null) {
      args.addAll(List.of("--examples-out", folder.resolve(run + "-examples.jsonl").toString()));
    }
    if (!"straight".equals(run)) {
      args.addAll(List.of("--data-dir", data.toString()));
    }
    return args.toArray(String[]::new);
  }

  private List<String> examples(String run) throws IOException {
    return Files.readAllLines(folder.resolve(run + "-examples.jsonl")).stream().sorted().toList();
  }

  private void write(String name, int count, int laterSeconds) throws IOException {
    List<String> shown = new ArrayList<>();
    List<String> answered = new ArrayList<>();
    Random random = new Random(count);
    for (int i = 0; i < count; i++) {
      long time = START + laterSeconds * 1000L + i * 1000L;
      String id = name + i;
      shown.add(
          """
          {"impression_id":"%s","event_time":%d,"features":{"user_id":"u%d","item_id":"p%d",\
          "segment":"s","category":"c%d","hour":"%d","price":%d,"tags":["t%d"]}}"""
              .formatted(id, time, random.nextInt(50), i % 40, i % 7, i % 24, 1 + i % 300, i % 3));
      if (i % 3 == 0) {
        answered.add(feedback(id, "click", time + 500, ""));
      }
      if (i % 6 == 0) {
        answered.add(feedback(id, "purchase", time + 1500, ""));
        answered.add(feedback(id, "revenue", time + 1500, ",\"value\":" + (1 + i % 90)));
      }
    }
    Files.write(folder.resolve(name + "-impressions.jsonl"), shown);
    Files.write(folder.resolve(name + "-feedback.jsonl"), answered);
  }

  private static String feedback(String id, String kind, long time, String more) {
    return "{\"impression_id\":\"%s\",\"event_id\":\"e\",\"kind\":\"%s\",\"event_time\":%d%s}"
        .formatted(id, kind, time, more);
  }
}
