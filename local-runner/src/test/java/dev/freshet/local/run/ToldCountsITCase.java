package dev.freshet.local.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.local.commands.FreshetCommand;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What operators count arrives where the user looks: on the screen and in the report. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class ToldCountsITCase {

  private static final long START = 1_767_225_600_000L;
  private static final String PIPELINE =
      """
      pipeline: told
      tasks:
        - {name: click, kind: binary, window: 2m, deadline: {at: ends}}
      labels: {holdout: 0.0}
      features:
        - {name: user, kind: categorical}
        - {name: tags, kind: categorical, many: true}
        - {name: taste, kind: cross, of: [user, tags]}
      models:
        - {name: net, kind: shared-bottom, bottom: [8], tower: [8]}
      publishing: {gate: {require-labels: 0}}
      """;

  @TempDir private Path folder;

  @Test
  void deadlinesAndCutCrossesAreShownWithTheirFirst() throws Exception {
    List<String> shown = new ArrayList<>();
    List<String> clicks = new ArrayList<>();
    String many =
        IntStream.range(0, 70).mapToObj(i -> "\"t" + i + "\"").collect(Collectors.joining(","));
    for (int i = 0; i < 400; i++) {
      long time = START + i * 1000L;
      String ends =
          switch (i) {
            case 10 -> "";
            case 20 -> "\"ends\":\"soon\",";
            case 30 -> "\"ends\":%d,".formatted(time - 1);
            case 40 -> "\"ends\":%d,".formatted(time + 3_600_000);
            default -> "\"ends\":%d,".formatted(time + 60_000);
          };
      String event = "{\"impression_id\":\"i%d\",\"event_time\":%d,".formatted(i, time);
      shown.add(
          event
              + "\"features\":{%s\"user\":\"u%d\",\"tags\":[%s]}}"
                  .formatted(ends, i % 7, i == 50 || i == 60 ? many : "\"a\",\"b\""));
      if (i % 3 == 0) {
        clicks.add(event + "\"event_id\":\"e\",\"kind\":\"click\"}");
      }
    }
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ByteArrayOutputStream lines = new ByteArrayOutputStream();
    int code;
    try {
      System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(lines, true, StandardCharsets.UTF_8));
      code =
          FreshetCommand.run(
              "replay",
              "--pipeline",
              Files.writeString(folder.resolve("p.yaml"), PIPELINE).toString(),
              "--impressions",
              Files.write(folder.resolve("impressions.jsonl"), shown).toString(),
              "--feedback",
              Files.write(folder.resolve("feedback.jsonl"), clicks).toString(),
              "--checkpoint-every",
              "1s",
              "--json");
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
    String screen = lines.toString(StandardCharsets.UTF_8);
    assertThat(code).as(screen).isZero();
    JsonNode report = new ObjectMapper().readTree(bytes.toString(StandardCharsets.UTF_8));

    JsonNode deadlines = report.path("deadlines").path("click");
    assertThat(deadlines.path("used").asLong()).isEqualTo(396);
    for (String use : List.of("absent i10", "invalid i20", "past i30", "beyond i40")) {
      String[] parts = use.split(" ");
      assertThat(deadlines.path(parts[0]).asLong()).as(use).isEqualTo(1);
      assertThat(deadlines.path("samples").path(parts[0]).asText())
          .startsWith("impression " + parts[1] + " ");
      assertThat(screen).contains("the first " + parts[0] + ": impression " + parts[1] + " ");
    }
    assertThat(screen).contains("Deadlines of click:");

    assertThat(report.path("cutCrosses").path("count").asLong()).isEqualTo(2);
    assertThat(report.path("cutCrosses").path("sample").asText()).isIn("i50", "i60");
    assertThat(screen).contains("2 crosses by the first of their many values only, the first of i");
  }
}
