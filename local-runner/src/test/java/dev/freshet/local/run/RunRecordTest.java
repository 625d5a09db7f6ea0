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

  private static final Path GOLDEN = Path.of("src", "test", "resources", "golden", "run-1.json");
  private static final RunRecord RECORD =
      new RunRecord(
          1,
          RunRecord.REPLAY,
          Map.of("pipeline", "0f", "topics", "1e", "examples", "none"),
          List.of(
              new Batch(
                  List.of(
                      new Input(
                          "impressions",
                          "/data/impressions.jsonl",
                          "2d",
                          new InputCounts(3, 1, Map.of(), Map.of("price", 2L), List.of("user_id"))),
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
    assertThat(json.readTree(file.toFile())).isEqualTo(json.readTree(GOLDEN.toFile()));
    Files.copy(GOLDEN, file, StandardCopyOption.REPLACE_EXISTING);
    assertThat(RunRecord.read(folder)).contains(RECORD);
  }

  @Test
  void anotherVersionIsRefused() throws IOException {
    assertThat(RunRecord.read(folder)).isEmpty();
    Files.writeString(folder.resolve(RunRecord.FILE), "{\"version\": 2}");
    assertThatThrownBy(() -> RunRecord.read(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("its version is 2");
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
