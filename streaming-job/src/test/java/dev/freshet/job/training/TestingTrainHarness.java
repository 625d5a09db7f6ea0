package dev.freshet.job.training;

import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.job.codec.CodecTypeInfo;
import java.util.List;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.CheckpointStorage;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.StreamTaskActionExecutor;
import org.apache.flink.streaming.runtime.tasks.mailbox.MailboxExecutorImpl;
import org.apache.flink.streaming.util.KeyedTwoInputStreamOperatorTestHarness;

/** The trainer of the model {@code main} in Flink's test harness, open. */
final class TestingTrainHarness
    extends KeyedTwoInputStreamOperatorTestHarness<
        Long, EncodedExample, SourcePosition, ModelRecord> {

  private TestingTrainHarness(TrainOperator operator) throws Exception {
    super(operator, new TrainOperator.OneKey<>(), new TrainOperator.OneKey<>(), Types.LONG);
    // What the task does for a real operator; the harness leaves it out where there are two inputs.
    operator.setMailboxExecutor(
        new MailboxExecutorImpl(getTaskMailbox(), 0, StreamTaskActionExecutor.IMMEDIATE));
  }

  /**
   * @param state to go on from, or null
   */
  static TestingTrainHarness open(Pipeline pipeline, OperatorSubtaskState state) throws Exception {
    return open(pipeline, state, null, null);
  }

  /**
   * @param state to go on from, or null
   * @param backend of keyed state, or null for Flink's default
   * @param storage of checkpoints, if there is a backend
   */
  static TestingTrainHarness open(
      Pipeline pipeline,
      OperatorSubtaskState state,
      StateBackend backend,
      CheckpointStorage storage)
      throws Exception {
    var harness = new TestingTrainHarness(new TrainOperator(pipeline, pipeline.model("main")));
    if (backend != null) {
      // Before the setup, which takes it as it is then.
      harness.setStateBackend(backend);
      harness.setCheckpointStorage(storage);
    }
    harness.setup(CodecTypeInfo.MODEL_RECORD.createSerializer(null));
    if (state != null) {
      harness.initializeState(state);
    }
    harness.open();
    return harness;
  }

  void feed(List<EncodedExample> examples) throws Exception {
    for (EncodedExample example : examples) {
      processElement1(new StreamRecord<>(example));
    }
  }
}
