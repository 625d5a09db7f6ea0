package dev.freshet.core.models.tafe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.models.MultiTaskModelContractTest;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.network.Network;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.rows.ServedRows;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TafeContractTest extends MultiTaskModelContractTest {
  @Override
  protected String model() {
    return "{name: main, kind: tafe, groups: 2, seeds: 2, indicator: 3, tower: [8]}";
  }

  /** For any weights whatever, a later step is never likelier than the one before. */
  @Test
  void theChainConstraintHoldsForRandomWeights() {
    Pipeline pipeline =
        PipelineFile.parse(
            """
            pipeline: chain
            tasks:
              - {name: a, kind: binary, window: 1m}
              - {name: b, kind: binary, window: 1m}
              - {name: c, kind: binary, window: 1m}
            features: [{name: f, kind: categorical, admit-after: 1}]
            models: [{name: main, kind: tafe, tower: [8]}]
            """,
            "test");
    Random random = new Random(1);
    List<EncodedExample> examples = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      examples.add(
          new EncodedExample(
              i, 0, false, new long[] {1 + i}, new int[] {0, 1}, new TaskLabel[0], new float[0]));
    }
    ModelContext context = pipeline.context(pipeline.models().get(0));
    try (Network network = new Network(context, context.tables(ServedRows::new))) {
      for (int round = 0; round < 20; round++) {
        network
            .weights()
            .forEach(
                w -> {
                  for (int i = 0; i < w.size(); i++) {
                    w.write(i, 3 * (float) random.nextGaussian());
                  }
                });
        for (float[] q : network.predict(examples)) {
          assertThat(q[1]).isLessThanOrEqualTo(q[0]);
          assertThat(q[2]).isLessThanOrEqualTo(q[1]);
        }
      }
    }
  }
}
