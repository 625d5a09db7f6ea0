package dev.freshet.local.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileCheckTest {

  private static final String SHOWN =
      """
      {"impression_id":"i1","event_time":1767225600000,"features":{"user_id":"u","item_id":"p",\
      "segment":"s","category":"c","hour":"1","price":7,"tags":["t"]}}
      """;
  private static final String ANSWERED =
      """
      {"impression_id":"i1","event_id":"e","kind":"click","event_time":1767225600500}
      """;

  @TempDir private Path folder;
  private Pipeline pipeline;

  @BeforeEach
  void open() throws IOException {
    pipeline = PipelineFile.read(Path.of("..", "pipelines", "shop.yaml"));
  }

  private Path file(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }

  private String check(Path impressions, Path feedback) throws IOException {
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    FileCheck.require(
        pipeline,
        ReplayInputs.read(List.of(impressions), List.of(feedback)),
        new PrintStream(said, true, StandardCharsets.UTF_8));
    return said.toString(StandardCharsets.UTF_8);
  }

  @Test
  void goodFilesPassWithSomeBadLines() throws IOException {
    Path shown = file("i", "\n{broken\n".repeat(1500) + SHOWN);
    assertThat(check(shown, file("f", "{}\n" + ANSWERED))).isEmpty();
  }

  @Test
  void filesInEachOthersPlaceAreTold() throws IOException {
    Path shown = file("shown.jsonl", SHOWN);
    Path answered = file("answered.jsonl", ANSWERED);
    assertThatThrownBy(() -> check(answered, shown))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("--impressions: " + answered + " holds feedback, it seems: none of")
        .hasMessageContaining("--feedback: " + shown + " holds impressions, it seems: none of")
        .hasMessageContaining("line 1: missing-field: event_id is missing")
        .hasMessageContaining("in each other's place?");
    assertThatThrownBy(() -> check(shown, shown))
        .as("one file given twice")
        .hasMessageContaining("--feedback: " + shown + " holds impressions");
  }

  @Test
  void whatHoldsNothingOrSomethingElseIsTold() throws IOException {
    Path csv = file("rows.txt", "id;time\n1;2\n");
    Path empty = file("empty", "\n \n");
    Path unzipped = file("f.gz", ANSWERED);
    assertThatThrownBy(() -> check(csv, empty))
        .hasMessageContaining(csv + " none of its first 2 lines is an impression; line 1: malf")
        .hasMessageContaining("`events` of the pipeline file says how: docs/layouts.md")
        .hasMessageContaining(empty + " is empty")
        .hasMessageNotContaining("place?");
    assertThatThrownBy(() -> check(file("i", SHOWN), unzipped))
        .hasMessageContaining(unzipped + " cannot be read");
    Path unknown = file("u", ANSWERED.replace("click", "klick"));
    assertThatThrownBy(() -> check(file("i", SHOWN), unknown))
        .hasMessageContaining("none of its first 1 lines is feedback; line 1: unknown-kind")
        .hasMessageNotContaining("place?");
    Path noKind = file("k", ANSWERED.replace("\"kind\":\"click\",", ""));
    assertThatThrownBy(() -> check(file("i", SHOWN), noKind))
        .hasMessageContaining("line 1: missing-field: kind is missing");
  }

  @Test
  void numbersThatAreSentAsTextAreTold() throws IOException {
    Path shown = file("i", SHOWN.replace("7,", "\"7\",") + SHOWN + SHOWN.replace("7,", "\"\","));
    assertThat(check(shown, file("f", ANSWERED)))
        .isEqualTo(
            "Note: "
                + shown
                + ": price is a text in 1 of its first 3 impressions, and is read as a number\n");
  }

  @Test
  void fieldsInAnotherPlaceAreRefusedAndAMisspeltOneIsWarnedOf() throws IOException {
    Path flat =
        file("flat", "{\"impression_id\":\"i1\",\"event_time\":1767225600000,\"user_id\":\"u\"}\n");
    Path answered = file("f", ANSWERED);
    assertThatThrownBy(() -> check(flat, answered))
        .hasMessageContaining("none of its first 1 lines has one of the fields user_id, item_id")
        .hasMessageContaining(
            "which stand under `features` and not beside it; the first is {\"impression_id\"");
    Path typo = file("typo", SHOWN.replace("price", "prise") + SHOWN.replace("price", "prise"));
    assertThat(check(typo, answered))
        .isEqualTo(
            "Warning: "
                + typo
                + ": absent in all of its first 2 impressions: price (did you mean 'prise'?);"
                + " the first has user_id, item_id, segment, category, hour, prise, tags\n");
  }

  /** A pipeline of which no name is right: what was meant is told for each, in any style. */
  @Test
  void whatWasMeantIsToldWhereNoFieldIsThere() throws IOException {
    Path shown =
        file(
            "i",
            "{\"impression_id\":\"i1\",\"event_time\":1767225600000,"
                + "\"features\":{\"userID\":\"u\",\"ItemId\":\"p\",\"prise\":7,\"x\":1}}\n");
    assertThatThrownBy(() -> check(shown, file("f", ANSWERED)))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining(
            "the fields user_id (did you mean 'userID'?), item_id (did you mean 'ItemId'?), ")
        .hasMessageContaining("price (did you mean 'prise'?), ")
        .hasMessageContaining("which stand under `features`; the first is");
  }

  @Test
  void namesOfAMessageThatAreMisspeltAreTold() throws IOException {
    Path shown = file("i", SHOWN.replace("event_time", "timestamp"));
    Path answered = file("f", ANSWERED.replace("impression_id", "impressionId"));
    assertThatThrownBy(() -> check(shown, answered))
        .hasMessageContaining("event_time is missing; allowed: epoch milliseconds")
        .hasMessageContaining("; it has impression_id, timestamp, features\n")
        .hasMessageContaining(
            "; it has impressionId, event_id, kind, event_time; is 'impressionId' meant to be"
                + " 'impression_id'?");
  }

  /** Half of an archive is no file to learn from, wherever its other half begins. */
  @Test
  void archivesThatAreCutAreRefusedBeforeAnythingStarts() throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(packed)) {
      Random random = new Random(7);
      for (int i = 0; i < 4000; i++) {
        out.write(SHOWN.replace("i1", "i" + random.nextLong()).getBytes(StandardCharsets.UTF_8));
      }
    }
    byte[] whole = packed.toByteArray();
    Path good = Files.write(folder.resolve("whole.gz"), whole);
    assertThat(check(good, file("f", ANSWERED))).isEmpty();
    for (int missing : new int[] {100, 4}) {
      Path cut = folder.resolve("cut" + missing + ".gz");
      Files.write(cut, Arrays.copyOf(whole, whole.length - missing));
      assertThatThrownBy(() -> check(cut, file("f", ANSWERED)))
          .isInstanceOf(RefusedException.class)
          .hasMessageContaining("--impressions: " + cut + " cannot be read: it ends in the middle")
          .hasMessageNotContaining("null")
          .hasMessageContaining("Nothing was started");
    }
  }

  @Test
  void deadlinesOfNoUseAreWarnedOf() throws IOException {
    String text =
        Files.readString(Path.of("..", "pipelines", "shop.yaml"))
            .replace(
                "{name: click,    kind: binary, ",
                "{name: click, kind: binary, deadline: {at: end}, ");
    pipeline = PipelineFile.parse(text, "shop");
    assertThat(pipeline.tasks().get(0).deadline().at()).isEqualTo("end");
    String at = "\"event_time\":1767225600000,";
    Path shown =
        file(
            "i",
            SHOWN.replace(at, at + "\"end\":\"soon\",")
                + SHOWN.replace(at, at + "\"end\":1767225600001,")
                + SHOWN.replace(at, at + "\"end\":1767225600000,")
                + SHOWN
                + SHOWN);
    assertThat(check(shown, file("f", ANSWERED)).lines())
        .containsExactly(
            warning(
                shown, "absent in 2", "4, impression i1 of 2026-01-01T00:00:00Z: it has no end"),
            warning(
                shown,
                "invalid in 1",
                "1, impression i1 of 2026-01-01T00:00:00Z: invalid-time: end is 'soon'; allowed:"
                    + " epoch milliseconds or ISO-8601 with a zone, from 2000 to 2099"),
            warning(
                shown,
                "past in 1",
                "3, impression i1 of 2026-01-01T00:00:00Z: end is 2026-01-01T00:00:00Z, which is"
                    + " not after it"));
  }

  private static String warning(Path file, String what, String first) {
    return "Warning: "
        + file
        + ": the deadline of click is "
        + what
        + " of its first 5 impressions, whose window stays as it is; the first: line "
        + first;
  }
}
