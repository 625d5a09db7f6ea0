package dev.freshet.job.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.settings.Problems;
import dev.freshet.training.TrainedShape;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.throwable.ThrowableClassifier;
import org.apache.flink.runtime.throwable.ThrowableType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Savepoints that are gone on from with other delay corrections. */
class ChangedDelayHeadsTest {

  private static final String CLICK = "window: 10m}";

  @TempDir private Path folder;
  private final List<String> notes = new ArrayList<>();

  private static Pipeline clicks(String correction) {
    return TestingPipelines.shop(CLICK, "window: 10m, correction: " + correction + "}");
  }

  private static OperatorSubtaskState learnt(Pipeline pipeline) throws Exception {
    try (var harness = TestingTrainHarness.open(pipeline, null)) {
      harness.feed(TestingExamples.settled(pipeline, 64, 3));
      harness.prepareSnapshotPreBarrier(1); // as the task does: waits for the step
      return harness.snapshot(1, 1);
    }
  }

  /** They would be lost, or taken for another task's: of two heads each, nothing else tells. */
  @ParameterizedTest
  @CsvSource({"wait, (none)", "hazard, click:parts-6", "purchase, purchase:late"})
  void headsAreNotTakenForOthers(String correction, String heads) throws Exception {
    OperatorSubtaskState state = learnt(clicks("es-dfm"));
    Pipeline other =
        switch (correction) {
          case "purchase" ->
              TestingPipelines.shop(
                  "after: click, window: 1h", "after: click, window: 1h, correction: es-dfm");
          case "hazard" -> clicks("hazard, negatives: explicit");
          default -> clicks(correction);
        };
    String why = "delay heads %s, was click:late (labels.correction)".formatted(heads);
    assertThatThrownBy(() -> TestingTrainHarness.open(other, state))
        .satisfies(
            e ->
                assertThat(ThrowableClassifier.getThrowableType(e))
                    .isEqualTo(ThrowableType.NonRecoverableError))
        .hasStackTraceContaining(why);
    assertThat(problems(state, other))
        .singleElement()
        .satisfies(
            problem -> {
              assertThat(problem.path()).isEqualTo("models.main");
              assertThat(problem.value()).isEqualTo(why);
            });
    assertThat(notes).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"es-dfm, defer, false", "wait, es-dfm, true"})
  void headsGoOnOrBegin(String before, String now, boolean begin) throws Exception {
    OperatorSubtaskState state = learnt(clicks(before));
    Pipeline pipeline = clicks(now);
    assertThat(problems(state, pipeline)).isEmpty();
    if (begin) {
      assertThat(notes)
          .containsExactly("Model main: delay heads click:late begin as if nothing were late");
    } else {
      assertThat(notes).isEmpty();
    }
    try (var harness = TestingTrainHarness.open(pipeline, state)) {
      harness.feed(TestingExamples.settled(pipeline, 128, 4).subList(64, 128));
      harness.prepareSnapshotPreBarrier(2);
      OperatorSubtaskState later = harness.snapshot(2, 2);
      notes.clear();
      assertThat(problems(later, pipeline)).isEmpty();
      assertThat(notes).as("they have begun").isEmpty();
    }
  }

  /** What their heads were is not in texts of before, and no other change. */
  @Test
  void textsOfBeforeDoNotSay() throws Exception {
    Pipeline pipeline = clicks("es-dfm");
    String now = TrainedShape.of(pipeline.context(pipeline.model("main")));
    assertThat(now).startsWith("freshet-shape-2\n").endsWith("\nheads=click:late");
    String before =
        now.replace("freshet-shape-2", "freshet-shape-1").replace("\nheads=click:late", "");
    assertThat(TrainedShape.changes(before, now)).isEmpty();
    assertThat(TrainedShape.beginningHeads(before, now)).isEmpty();
    assertThat(TrainedShape.changes(before.replace("kind=", "kind=x"), now)).hasSize(1);
  }

  private List<Problems.Problem> problems(OperatorSubtaskState state, Pipeline pipeline)
      throws IOException {
    OperatorState trainer =
        new OperatorState("training main", "training-main", new OperatorID(1, 2), 1, 1);
    trainer.putState(0, state);
    try (OutputStream out = Files.newOutputStream(folder.resolve("_metadata"))) {
      Checkpoints.storeCheckpointMetadata(
          new CheckpointMetadata(7, List.of(trainer), List.of()), out);
    }
    Problems problems = new Problems();
    new CheckpointCheck(
            pipeline, SavepointRestoreSettings.forPath(folder.toUri().toString()), notes::add)
        .run(problems);
    return problems.found();
  }
}
