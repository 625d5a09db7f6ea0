package dev.freshet.job.training;

import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.job.codec.CodecTypeInfo;
import java.util.List;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.StreamTaskActionExecutor;
import org.apache.flink.streaming.runtime.tasks.mailbox.MailboxExecutorImpl;
import org.apache.flink.streaming.util.TwoInputStreamOperatorTestHarness;

/** The trainer of the model {@code main} in Flink's test harness, open. */
final class TestingTrainHarness
    extends TwoInputStreamOperatorTestHarness<EncodedExample, SourcePosition, ModelRecord> {

  private TestingTrainHarness(TrainOperator operator) throws Exception {
    super(operator);
    // What the task does for a real operator; the harness leaves it out where there are two inputs.
    operator.setMailboxExecutor(
        new MailboxExecutorImpl(getTaskMailbox(), 0, StreamTaskActionExecutor.IMMEDIATE));
  }

  /**
   * @param state to go on from, or null
   */
  static TestingTrainHarness open(Pipeline pipeline, OperatorSubtaskState state) throws Exception {
    var harness = new TestingTrainHarness(new TrainOperator(pipeline, pipeline.model("main")));
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
