package dev.freshet.local.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.freshet.local.run.RunRecord.Batch;
import dev.freshet.local.run.RunRecord.Input;
import dev.freshet.local.run.RunRecord.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunRecordTest {

  private static final Path GOLDEN = Path.of("src", "test", "resources", "golden");
  private static final RunRecord RECORD =
      new RunRecord(
          3,
          RunRecord.REPLAY,
          Map.of("pipeline", "0f", "topics", "1e", "examples", "none"),
          List.of(
              new Batch(
                  List.of(
                      new Input(
                          "impressions",
                          "/data/impressions.jsonl",
                          "2d",
                          new InputCounts(
                              3,
                              1,
                              Map.of(),
                              Map.of("price", 2L),
                              List.of("user_id"),
                              Map.of("impression", 4L),
                              0,
                              5,
                              "impressions.jsonl line 1: {}")),
                      new Input("feedback", "/data/feedback.jsonl", "3c", null)),
                  Map.of("impressions-0", 7L, "clicks-1", 5L),
                  State.SENDING)),
          JsonNodeFactory.instance.objectNode().put("ended", "learnt"));

  @TempDir private Path folder;

  @Test
  void theFileStaysAsItIs() throws IOException {
    RECORD.write(folder);
    Path file = folder.resolve(RunRecord.FILE);
    ObjectMapper json = new ObjectMapper();
    assertThat(json.readTree(file.toFile())).isEqualTo(json.readTree(golden(3).toFile()));
    Files.copy(golden(3), file, StandardCopyOption.REPLACE_EXISTING);
    assertThat(RunRecord.read(folder)).contains(RECORD);
  }

  private static Path golden(int version) {
    return GOLDEN.resolve("run-" + version + ".json");
  }

  @Test
  void theSecondVersionIsStillRead() throws IOException {
    Path file = folder.resolve(RunRecord.FILE);
    Files.copy(golden(2), file);
    RunRecord read = RunRecord.read(folder).orElseThrow();
    InputCounts counts = read.batches().get(0).inputs().get(0).sent();
    assertThat(counts.allLearnt()).isEqualTo(4);
    assertThat(counts.passedOver()).isZero();
    read.write(folder);
    assertThat(RunRecord.read(folder)).contains(read);
  }

  @Test
  void theFirstVersionIsStillRead() throws IOException {
    Path file = folder.resolve(RunRecord.FILE);
    Files.copy(golden(1), file);
    RunRecord read = RunRecord.read(folder).orElseThrow();
    assertThat(read.batches().get(0).from()).isEqualTo(RECORD.batches().get(0).from());
    InputCounts counts = read.batches().get(0).inputs().get(0).sent();
    assertThat(counts.lines()).isEqualTo(3);
    assertThat(counts.allLearnt()).isZero();
    read.write(folder);
    assertThat(RunRecord.read(folder)).contains(read);
  }

  @Test
  void anotherVersionIsRefused() throws IOException {
    assertThat(RunRecord.read(folder)).isEmpty();
    Files.writeString(folder.resolve(RunRecord.FILE), "{\"version\": 4}");
    assertThatThrownBy(() -> RunRecord.read(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("run.json has version 4");
  }

  @Test
  void whatBelongsToOthersIsRefused() {
    RECORD.require(RunRecord.REPLAY, RECORD.of(), folder);
    assertThatThrownBy(() -> RECORD.require(RunRecord.DEMO, RECORD.of(), folder))
        .hasMessageContaining("holds a replay, no demo");
    assertThatThrownBy(
            () ->
                RECORD.require(
                    RunRecord.REPLAY,
                    Map.of("pipeline", "other", "topics", "1e", "examples", "none"),
                    folder))
        .hasMessageContaining("another pipeline file");
  }
}
