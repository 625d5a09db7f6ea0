package dev.freshet.local.sample;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.local.TestingCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code check --layout}: one table of what was shown, with what came of it in the same row. */
class CheckLayoutsTest {

  private static final int ROWS = 2000;
  private static final String SHOWN =
      "events:\n  impressions: {impression-id: '\"\\(.list)/\\(.item)\"', event-time: .at,"
          + " time-zone: Europe/Berlin, features: .}\n";
  private static final String CLICK =
      "  click: {when: .clicked == \"1\", impression-id: '\"\\(.list)/\\(.item)\"',"
          + " event-id: '\"c\"', event-time: .then, time-zone: Europe/Berlin}\n";

  @TempDir private Path folder;

  private Path table;

  @BeforeEach
  void table() throws IOException {
    SplittableRandom random = new SplittableRandom(3);
    StringBuilder rows = new StringBuilder("list;item;user;at;clicked;then;paid\n");
    for (int i = 0; i < ROWS; i++) {
      boolean clicked = random.nextInt(4) == 0;
      rows.append(
          "l%d;p%d;u%d;2026-01-05 08:%02d:%02d;%d;%s;%s%n"
              .formatted(
                  i,
                  random.nextInt(20),
                  random.nextInt(50),
                  i / 60,
                  i % 60,
                  clicked ? 1 : 0,
                  clicked ? "2026-01-05 08:%02d:%02d".formatted(i / 60 + 2, i % 60) : "",
                  clicked ? "9.5" : ""));
    }
    table = Files.writeString(folder.resolve("shown.csv"), rows);
  }

  private TestingCommand check(String layout) throws IOException {
    Path file = Files.writeString(folder.resolve("layout.yaml"), layout);
    Path written = folder.resolve("own.yaml");
    Files.deleteIfExists(written);
    return TestingCommand.run(
        "check",
        "--events",
        table.toString(),
        "--layout",
        file.toString(),
        "--write",
        written.toString());
  }

  @Test
  void whatTellsOfTheOutcomeIsNoField() throws IOException {
    TestingCommand ran = check(SHOWN + CLICK);
    assertThat(ran.code()).as(ran.out() + ran.err()).isZero();
    Pipeline made = PipelineFile.read(folder.resolve("own.yaml"));
    assertThat(made.features())
        .extracting(field -> field.name())
        .as("an item is one although the id names it; the click, its time and amount are none")
        .containsExactly("item", "user");
    assertThat(ran.out())
        .contains("2,000 impressions", "To learn from them:")
        .doesNotContain("late-impressions");
  }

  @Test
  void anEntryThatGivesNothingIsNamedWithWhatThereIs() throws IOException {
    for (List<String> wrong :
        List.of(
            List.of(SHOWN + CLICK.replace("\"1\"", "1"), "`events.click` gave no event"),
            List.of(
                SHOWN.replace(".}", ".inner}") + CLICK,
                "`events.impressions.features` gave no field"),
            List.of(
                SHOWN.replace(".}", "., fields: {city: .town}}") + CLICK,
                "`events.impressions.fields.city` gave nothing"))) {
      TestingCommand ran = check(wrong.get(0));
      assertThat(ran.code()).isEqualTo(2);
      assertThat(ran.err()).contains(wrong.get(1));
      assertThat(folder.resolve("own.yaml")).doesNotExist();
    }
    assertThat(check(SHOWN.replace("impressions:", "impression:") + CLICK).err())
        .contains("events.impression: 'impression'; allowed: impressions, or a task's name");
  }

  @Test
  void aTaskThatAlwaysHappensOrNeverJoinsIsAProblem() throws IOException {
    TestingCommand always =
        check(SHOWN + CLICK.replace("when: .clicked == \"1\", ", "").replace(".then", ".at"));
    assertThat(always.code()).as(always.out() + always.err()).isEqualTo(3);
    assertThat(always.out().replaceAll("\\s+", " "))
        .contains("no-negative: click: it happened for 100 % of the impressions");
    TestingCommand never = check(SHOWN + CLICK.replace(")/", ")-"));
    assertThat(never.code()).as(never.out() + never.err()).isEqualTo(3);
    assertThat(never.out()).contains("nothing-joined");
  }
}
