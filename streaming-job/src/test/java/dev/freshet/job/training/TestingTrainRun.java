package dev.freshet.job.training;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.publishing.ModelRecord;
import dev.freshet.core.training.TestingExamples;
import dev.freshet.job.codec.CodecTypeInfo;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;

/** Trains and publishes once, inside whatever class loader loaded it; tells the last manifest. */
public final class TestingTrainRun implements Callable<String> {
  @Override
  public String call() throws Exception {
    Pipeline pipeline = TestingPipelines.shop();
    TrainOperator operator =
        new TrainOperator(
            "test",
            pipeline.context(pipeline.model("main")),
            pipeline.training(),
            pipeline.publishing());
    try (var harness =
        new OneInputStreamOperatorTestHarness<EncodedExample, ModelRecord>(operator)) {
      harness.setup(CodecTypeInfo.MODEL_RECORD.createSerializer(null));
      harness.open();
      for (EncodedExample example : TestingExamples.settled(pipeline, 64 * 4, 1)) {
        harness.processElement(new StreamRecord<>(example));
      }
      harness.prepareSnapshotPreBarrier(1);
      var records = harness.extractOutputValues();
      // The payload's hash, which depends on every weight, and not the time of publishing.
      String manifest = new String(records.get(records.size() - 1).value(), StandardCharsets.UTF_8);
      return manifest.replaceAll(".*\"bytes\":(\\d+),\"sha256\":\"(\\w+)\",\"examples\".*", "$2");
    }
  }
}
