package dev.freshet.job.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.publishing.Manifest;
import dev.freshet.core.publishing.ModelRecord;
import dev.freshet.core.publishing.ModelVersion;
import dev.freshet.core.publishing.PublishingSettings;
import dev.freshet.core.publishing.SnapshotAssembler;
import dev.freshet.core.training.TestingExamples;
import dev.freshet.job.codec.CodecTypeInfo;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;

class TrainOperatorTest {

  private final Pipeline pipeline = TestingPipelines.shop();
  // 64 is the batch: 5 full ones and a part of the sixth.
  private final List<EncodedExample> examples = TestingExamples.settled(pipeline, 64 * 10 + 20, 3);

  @Test
  void restoreInTheMiddleOfABatchPublishesTheSameWeights() throws Exception {
    SnapshotAssembler.Snapshot straight;
    try (var harness = harness(null)) {
      feed(harness, examples);
      straight = publish(harness, 1);
    }
    OperatorSubtaskState half;
    ModelVersion first;
    try (var harness = harness(null)) {
      feed(harness, examples.subList(0, 64 * 5 + 10));
      first = version(publish(harness, 1));
      half = harness.snapshot(1, 1);
    }
    try (var harness = harness(half)) {
      feed(harness, examples.subList(64 * 5 + 10, examples.size()));
      SnapshotAssembler.Snapshot resumed = publish(harness, 2);
      assertThat(resumed.payload()).isEqualTo(straight.payload());
      assertThat(resumed.manifest().quality()).isEqualTo(straight.manifest().quality());
      assertThat(resumed.manifest().targetScale()).isEqualTo(straight.manifest().targetScale());
      assertThat(version(resumed).step()).isEqualTo(10);
      assertThat(version(resumed).run()).as("a run of its own").isGreaterThan(first.run());
    }
  }

  @Test
  void publishesAgainOnlyAfterAStep() throws Exception {
    try (var harness = harness(null)) {
      assertThat(records(harness, 1)).as("nothing was learnt yet").isEmpty();
      feed(harness, examples.subList(0, 64));
      assertThat(records(harness, 2)).isNotEmpty();
      feed(harness, examples.subList(64, 100));
      assertThat(records(harness, 3)).isEmpty();
    }
  }

  @Test
  void whatTheGateHoldsBackIsPartOfTheNextVersion() throws Exception {
    PublishingSettings strict =
        TestingPipelines.shop("training:", "publishing: {gate: {max-norm: 0.001}}\ntraining:")
            .publishing();
    try (var harness = harness(null, strict)) {
      feed(harness, examples.subList(0, 128));
      assertThat(records(harness, 1)).as("every norm is larger").isEmpty();
      feed(harness, examples.subList(128, 256));
      assertThat(records(harness, 2)).as("training went on").isEmpty();
    }
  }

  @Test
  void theEndOfInputLearnsTheRestAndPublishes() throws Exception {
    try (var harness = harness(null)) {
      feed(harness, examples);
      publish(harness, 1);
      harness.endInput();
      Manifest last = assemble(drain(harness)).manifest();
      assertThat(ModelVersion.parse(last.version()).step()).isEqualTo(11);
      assertThat(last.examples()).isEqualTo(examples.size());
    }
  }

  private OneInputStreamOperatorTestHarness<EncodedExample, ModelRecord> harness(
      OperatorSubtaskState state) throws Exception {
    return harness(state, pipeline.publishing());
  }

  private OneInputStreamOperatorTestHarness<EncodedExample, ModelRecord> harness(
      OperatorSubtaskState state, PublishingSettings publishing) throws Exception {
    TrainOperator operator =
        new TrainOperator(
            "test", pipeline.context(pipeline.model("main")), pipeline.training(), publishing);
    var harness = new OneInputStreamOperatorTestHarness<EncodedExample, ModelRecord>(operator);
    harness.setup(CodecTypeInfo.MODEL_RECORD.createSerializer(null));
    if (state != null) {
      harness.initializeState(state);
    }
    harness.open();
    return harness;
  }

  private static void feed(
      OneInputStreamOperatorTestHarness<EncodedExample, ModelRecord> harness,
      List<EncodedExample> examples)
      throws Exception {
    for (EncodedExample example : examples) {
      harness.processElement(new StreamRecord<>(example));
    }
  }

  private static List<ModelRecord> records(
      OneInputStreamOperatorTestHarness<EncodedExample, ModelRecord> harness, long checkpoint)
      throws Exception {
    harness.prepareSnapshotPreBarrier(checkpoint);
    return drain(harness);
  }

  private static List<ModelRecord> drain(
      OneInputStreamOperatorTestHarness<EncodedExample, ModelRecord> harness) {
    List<ModelRecord> records = new ArrayList<>(harness.extractOutputValues());
    harness.getOutput().clear();
    return records;
  }

  private static SnapshotAssembler.Snapshot publish(
      OneInputStreamOperatorTestHarness<EncodedExample, ModelRecord> harness, long checkpoint)
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
