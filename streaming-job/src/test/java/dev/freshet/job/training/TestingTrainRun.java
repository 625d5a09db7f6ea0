package dev.freshet.job.training;

import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;

/** Trains and publishes once, inside whatever class loader loaded it; tells the last manifest. */
public final class TestingTrainRun implements Callable<String> {
  @Override
  public String call() throws Exception {
    Pipeline pipeline = TestingPipelines.shop();
    try (var harness = TestingTrainHarness.open(pipeline, null)) {
      harness.feed(TestingExamples.settled(pipeline, 64 * 4, 1));
      harness.prepareSnapshotPreBarrier(1);
      var records = harness.extractOutputValues();
      // The payload's hash, which depends on every weight, and not the time of publishing.
      String manifest = new String(records.get(records.size() - 1).value(), StandardCharsets.UTF_8);
      return manifest.replaceAll(".*\"bytes\":(\\d+),\"sha256\":\"(\\w+)\",\"examples\".*", "$2");
    }
  }
}
