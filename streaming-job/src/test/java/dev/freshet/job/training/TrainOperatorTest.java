package dev.freshet.job.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.publishing.Manifest;
import dev.freshet.core.publishing.ModelRecord;
import dev.freshet.core.publishing.ModelVersion;
import dev.freshet.core.publishing.SnapshotAssembler;
import dev.freshet.core.training.TestingExamples;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.throwable.ThrowableClassifier;
import org.apache.flink.runtime.throwable.ThrowableType;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainOperatorTest {

  private final Pipeline pipeline = TestingPipelines.shop();
  // 64 is the batch: 5 full ones and a part of the sixth.
  private final List<EncodedExample> examples = TestingExamples.settled(pipeline, 64 * 10 + 20, 3);

  @Test
  void restoreInTheMiddleOfABatchPublishesTheSameWeights() throws Exception {
    SnapshotAssembler.Snapshot straight;
    try (var harness = harness(null)) {
      harness.feed(examples);
      straight = publish(harness, 1);
    }
    OperatorSubtaskState half;
    ModelVersion first;
    try (var harness = harness(null)) {
      harness.feed(examples.subList(0, 64 * 5 + 10));
      first = version(publish(harness, 1));
      half = harness.snapshot(1, 1);
    }
    try (var harness = harness(half)) {
      harness.feed(examples.subList(64 * 5 + 10, examples.size()));
      SnapshotAssembler.Snapshot resumed = publish(harness, 2);
      assertThat(resumed.payload()).isEqualTo(straight.payload());
      assertThat(resumed.manifest().quality()).isEqualTo(straight.manifest().quality());
      assertThat(resumed.manifest().targetScale()).isEqualTo(straight.manifest().targetScale());
      assertThat(version(resumed).step()).isEqualTo(10);
      assertThat(version(resumed).run()).as("a run of its own").isGreaterThan(first.run());
    }
  }

  /** Equal sizes are not enough: fields in another order are other inputs. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "tower: [16, 8], tau; tower: [8, 8], tau; dense",
        "dim: 8, admit-after: 2}; dim: 8, admit-after: 2}, {name: more, kind: categorical};"
            + " features",
        "name: user, kind: categorical, dim: 8, admit-after: 1; name: visitor, kind: categorical,"
            + " dim: 8, admit-after: 1; features",
        "name: revenue; name: amount; tasks",
        "kind: htlnet, tower: [16, 8], tau-steps: 50; kind: esmm; kind, dense"
      })
  void aCheckpointOfAnotherShapeIsRefusedOnce(String part, String other, String different)
      throws Exception {
    OperatorSubtaskState state;
    try (var harness = harness(null)) {
      harness.feed(examples.subList(0, 64));
      state = harness.snapshot(1, 1);
    }
    harness(state).close();
    String replacement = other.replace("}, {", "}\n  - {");
    Pipeline changed = TestingPipelines.shop(part, replacement);
    assertThatThrownBy(() -> TestingTrainHarness.open(changed, state))
        .satisfies(
            e ->
                assertThat(ThrowableClassifier.getThrowableType(e))
                    .isEqualTo(ThrowableType.NonRecoverableError))
        .hasStackTraceContaining("learnt with other " + different.split(", ")[0])
        .hasStackTraceContaining("give the model a new name");
  }

  @Test
  void publishesAgainOnlyAfterAStep() throws Exception {
    try (var harness = harness(null)) {
      assertThat(records(harness, 1)).as("nothing was learnt yet").isEmpty();
      harness.feed(examples.subList(0, 64));
      assertThat(records(harness, 2)).isNotEmpty();
      harness.feed(examples.subList(64, 100));
      assertThat(records(harness, 3)).isEmpty();
    }
  }

  @Test
  void whatTheGateHoldsBackIsPartOfTheNextVersion() throws Exception {
    Pipeline strict =
        TestingPipelines.shop("training:", "publishing: {gate: {max-norm: 0.001}}\ntraining:");
    try (var harness = TestingTrainHarness.open(strict, null)) {
      harness.feed(examples.subList(0, 128));
      assertThat(records(harness, 1)).as("every norm is larger").isEmpty();
      harness.feed(examples.subList(128, 256));
      assertThat(records(harness, 2)).as("training went on").isEmpty();
    }
  }

  @Test
  void aVersionNamesWhatHasBeenRead() throws Exception {
    OperatorSubtaskState state;
    try (var harness = harness(null)) {
      harness.feed(examples.subList(0, 64));
      assertThat(publish(harness, 1).manifest().watermark()).as("none came").isNull();
      harness.processElement2(new StreamRecord<>(new SourcePosition("clicks", 0, 5, 50)));
      harness.processElement2(new StreamRecord<>(new SourcePosition("clicks", 1, 2, 70)));
      harness.processWatermark1(new Watermark(1_000));
      harness.processWatermark2(new Watermark(900));
      harness.feed(examples.subList(64, 128));
      Manifest manifest = publish(harness, 2).manifest();
      assertThat(manifest.sources())
          .containsExactly(
              new SourcePosition("clicks", 0, 5, 50), new SourcePosition("clicks", 1, 2, 70));
      assertThat(manifest.watermark()).isEqualTo(900);
      assertThat(manifest.configuration()).isEqualTo(pipeline.fingerprint());
      state = harness.snapshot(2, 2);
    }
    try (var harness = harness(state)) {
      harness.processElement2(new StreamRecord<>(new SourcePosition("clicks", 1, 9, 60)));
      harness.feed(examples.subList(128, 192));
      Manifest manifest = publish(harness, 3).manifest();
      assertThat(manifest.sources())
          .as("a partition that is silent after a restore is still named")
          .containsExactly(
              new SourcePosition("clicks", 0, 5, 50), new SourcePosition("clicks", 1, 9, 70));
      assertThat(manifest.watermark()).isEqualTo(900);
    }
  }

  @Test
  void theEndOfInputLearnsTheRestAndPublishes() throws Exception {
    try (var harness = harness(null)) {
      harness.feed(examples);
      publish(harness, 1);
      harness.endInput1();
      assertThat(drain(harness)).as("the other input is still open").isEmpty();
      harness.endInput2();
      Manifest last = assemble(drain(harness)).manifest();
      assertThat(ModelVersion.parse(last.version()).step()).isEqualTo(11);
      assertThat(last.examples()).isEqualTo(examples.size());
    }
  }

  private TestingTrainHarness harness(OperatorSubtaskState state) throws Exception {
    return TestingTrainHarness.open(pipeline, state);
  }

  private static List<ModelRecord> records(TestingTrainHarness harness, long checkpoint)
      throws Exception {
    harness.prepareSnapshotPreBarrier(checkpoint);
    return drain(harness);
  }

  private static List<ModelRecord> drain(TestingTrainHarness harness) {
    List<ModelRecord> records = new ArrayList<>(harness.extractOutputValues());
    harness.getOutput().clear();
    return records;
  }

  private static SnapshotAssembler.Snapshot publish(TestingTrainHarness harness, long checkpoint)
      throws Exception {
    return assemble(records(harness, checkpoint));
  }

  private static SnapshotAssembler.Snapshot assemble(List<ModelRecord> records) throws IOException {
    SnapshotAssembler assembler = new SnapshotAssembler();
    SnapshotAssembler.Snapshot last = null;
    for (ModelRecord record : records) {
      last = assembler.accept(record).orElse(last);
    }
    return last;
  }

  private static ModelVersion version(SnapshotAssembler.Snapshot snapshot) {
    return ModelVersion.parse(snapshot.manifest().version());
  }
}
