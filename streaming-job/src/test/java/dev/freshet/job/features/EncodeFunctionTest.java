package dev.freshet.job.features;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import java.util.stream.IntStream;
import org.apache.flink.streaming.api.operators.StreamMap;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;

class EncodeFunctionTest {

  private final Pipeline pipeline =
      TestingPipelines.shop(
          "edges: [1, 10, 100]}",
          "edges: [1, 10, 100]}\n  - {name: taste, kind: cross, of: [tags, user]}");

  /** The same impression with so many tags. */
  private static LabeledExample tagged(LabeledExample example, int tags) {
    RawFeatures features = (RawFeatures) example.impression().features();
    String[][] categories = features.categories().clone();
    categories[0] = IntStream.range(0, tags).mapToObj(i -> "t" + i).toArray(String[]::new);
    return new LabeledExample(
        new Impression(
            example.impression().id(),
            example.impression().eventTime(),
            new RawFeatures(categories, features.numbers()),
            null),
        example.emittedAt(),
        example.labels());
  }

  private static OneInputStreamOperatorTestHarness<LabeledExample, EncodedExample> harness(
      Pipeline pipeline) throws Exception {
    var harness =
        new OneInputStreamOperatorTestHarness<LabeledExample, EncodedExample>(
            new StreamMap<>(new EncodeFunction(pipeline.schema(), 0)));
    harness.open();
    return harness;
  }

  @Test
  void crossesThatAreCutAreCountedWithTheFirst() throws Exception {
    var examples = TestingExamples.labelled(4, 1);
    try (var harness = harness(pipeline)) {
      var told = harness.getOperator().getRuntimeContext();
      harness.processElement(tagged(examples.get(0), 64), 0);
      assertThat(told.getAccumulator(EncodeFunction.CUT_CROSSES).getLocalValue()).isEqualTo(0L);
      assertThat(told.getAccumulator(EncodeFunction.CUT_SAMPLE).getLocalValue()).isEqualTo("");
      for (int i = 1; i < 4; i++) {
        harness.processElement(tagged(examples.get(i), 63 + i), 0);
      }
      assertThat(told.getAccumulator(EncodeFunction.CUT_CROSSES).getLocalValue()).isEqualTo(2L);
      assertThat(told.getAccumulator(EncodeFunction.CUT_SAMPLE).getLocalValue())
          .isEqualTo(examples.get(2).impression().id());
      assertThat(harness.extractOutputValues()).as("they are learnt all the same").hasSize(4);
    }
  }
}
