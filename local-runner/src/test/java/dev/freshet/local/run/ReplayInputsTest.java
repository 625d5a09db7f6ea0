package dev.freshet.local.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.freshet.local.run.RunRecord.Batch;
import dev.freshet.local.run.RunRecord.Input;
import dev.freshet.local.run.RunRecord.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplayInputsTest {

  @TempDir private Path folder;

  private Path file(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }

  private static RunRecord holding(State state, List<Input> inputs) {
    return RunRecord.begin(RunRecord.REPLAY, Map.of())
        .with(new Batch(inputs, Map.of("impressions-0", 0L), state));
  }

  @Test
  void newFilesAreLearntAndKnownOnesAreNot() throws IOException {
    Path shown = file("i", "1");
    Path answered = file("f", "2");
    List<Input> first = ReplayInputs.read(List.of(shown, file("copy", "1")), List.of(answered));
    assertThat(first).as("a content counts once").hasSize(2);
    Batch begun = ReplayInputs.next(RunRecord.begin(RunRecord.REPLAY, Map.of()), first);
    assertThat(begun.state()).isEqualTo(State.SENDING);
    assertThat(begun.inputs()).isEqualTo(first);

    RunRecord learnt = holding(State.SENDING, first).ended(JsonNodeFactory.instance.objectNode());
    assertThat(ReplayInputs.next(learnt, first)).isNull();
    List<Input> more =
        ReplayInputs.read(List.of(shown, file("i2", "3")), List.of(file("moved", "2")));
    assertThat(ReplayInputs.next(learnt, more).inputs())
        .extracting(Input::path)
        .containsExactly(folder.resolve("i2").toString());
    file("i", "1, and more");
    assertThat(
            ReplayInputs.next(learnt, ReplayInputs.read(List.of(shown), List.of(answered)))
                .inputs())
        .as("a file that grew")
        .extracting(Input::path)
        .containsExactly(shown.toString());
  }

  @Test
  void whatWasBegunIsEndedFirst() throws IOException {
    Path shown = file("i", "1");
    Path answered = file("f", "2");
    List<Input> both = ReplayInputs.read(List.of(shown), List.of(answered));
    List<Input> one = ReplayInputs.read(List.of(shown), List.of());
    RunRecord sending = holding(State.SENDING, both);
    assertThat(ReplayInputs.next(sending, both).from()).containsEntry("impressions-0", 0L);
    assertThatThrownBy(() -> ReplayInputs.next(sending, one))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("give " + answered + " too");
    RunRecord sent = holding(State.SENT, both);
    assertThat(ReplayInputs.next(sent, one).state())
        .as("all of it is in the topics")
        .isEqualTo(State.SENT);
    List<Input> more = ReplayInputs.read(List.of(shown, file("i2", "3")), List.of(answered));
    assertThat(ReplayInputs.next(sent, more).inputs()).isEqualTo(both);
    assertThat(ReplayInputs.next(sending, more).inputs()).isEqualTo(both);
    RunRecord ended = sent.ended(JsonNodeFactory.instance.objectNode());
    assertThat(ReplayInputs.next(ended, more).inputs())
        .as("asked again")
        .extracting(Input::sha256)
        .containsExactly(more.get(1).sha256());
    file("f", "2, and more");
    List<Input> grown = ReplayInputs.read(List.of(shown), List.of(answered));
    assertThatThrownBy(() -> ReplayInputs.next(sending, grown))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("give " + answered + " as it was then");
  }
}
