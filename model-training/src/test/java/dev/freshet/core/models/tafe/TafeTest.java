package dev.freshet.core.models.tafe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.models.Parameter;
import dev.freshet.core.models.torch.Doors;
import dev.freshet.core.models.torch.TorchEngine;
import dev.freshet.core.network.Network;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.training.ModelTrainer;
import dev.freshet.training.rows.EmbeddingTable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The checks that a reader of the abstracts can run, numbered as in our notes on them; the first,
 * the constraint, is in {@link TafeContractTest}.
 */
class TafeTest {

  private static final int VALUES = 4;

  private static Pipeline pipeline(String model) {
    return PipelineFile.parse(
        """
        pipeline: funnel
        tasks:
          - {name: a, kind: binary, window: 1m}
          - {name: b, kind: binary, window: 1m}
          - {name: c, kind: binary, window: 1m}
        features:
          - {name: f, kind: categorical, dim: 4, admit-after: 1}
          - {name: g, kind: categorical, dim: 4, admit-after: 1}
        models: [{name: main, kind: %s}]
        training: {dense: {rate: 5e-3}, embeddings: {rate: 0.1}}
        """
            .formatted(model),
        "test");
  }

  /** P(step t | the step before), known for every pair of values. */
  private static double truth(int step, int f, int g) {
    return 0.15 + 0.2 * ((f + step * g) % VALUES);
  }

  private static List<EncodedExample> funnel(int count, long seed) {
    Random random = new Random(seed);
    List<EncodedExample> examples = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int f = random.nextInt(VALUES);
      int g = random.nextInt(VALUES);
      TaskLabel[] labels = new TaskLabel[3];
      boolean reached = true;
      for (int t = 0; t < 3; t++) {
        boolean possible = reached;
        reached &= random.nextDouble() < truth(t, f, g);
        labels[t] = new TaskLabel(LabelKind.FINAL, reached ? 1 : 0, 1, 0, -1, possible);
      }
      long[] keys = {1 + f, 101 + g};
      examples.add(
          new EncodedExample(i, 0, false, keys, new int[] {0, 1, 2}, labels, new float[0]));
    }
    return examples;
  }

  // 2. The path's likelihood is the cross-entropy of the step at which it stops.
  @Test
  void pathLossIsTheCrossEntropyOfTheStoppingStep() {
    Pipeline pipeline = pipeline("tafe, tower: [6], loss: path");
    List<EncodedExample> batch = funnel(200, 1);
    try (ModelTrainer trainer =
        new ModelTrainer(pipeline.context(pipeline.models().get(0)), pipeline.training())) {
      // So often that the base rate, which moves the biases before a step, hardly moves any more.
      for (int i = 0; i < 100; i++) {
        trainer.process(batch);
      }
      double expected = 0;
      float[][] predictions = trainer.network().predict(batch);
      for (int i = 0; i < batch.size(); i++) {
        double[] q = {1, predictions[i][0], predictions[i][1], predictions[i][2], 0};
        int steps = 0;
        for (TaskLabel label : batch.get(i).labels()) {
          steps += (int) label.value();
        }
        expected -= Math.log(q[steps] - q[steps + 1]) / batch.size();
      }
      trainer.process(batch);
      double total = 0;
      for (float loss : trainer.losses()) {
        total += loss;
      }
      assertThat(total).isCloseTo(expected, within(1e-5));
    }
  }

  // 3. A model that can hold the truth finds it by either loss.
  @ParameterizedTest
  @ValueSource(strings = {"entire", "path"})
  void bothLossesRecoverAKnownFunnel(String loss) {
    Pipeline pipeline = pipeline("tafe, tower: [16], loss: " + loss);
    try (ModelTrainer trainer =
        new ModelTrainer(pipeline.context(pipeline.models().get(0)), pipeline.training())) {
      for (int step = 0; step < 400; step++) {
        trainer.process(funnel(512, step));
      }
      double off = 0;
      for (int f = 0; f < VALUES; f++) {
        for (int g = 0; g < VALUES; g++) {
          long[] keys = {1 + f, 101 + g};
          EncodedExample example =
              new EncodedExample(
                  0, 0, false, keys, new int[] {0, 1, 2}, new TaskLabel[0], new float[0]);
          float[] predicted = trainer.network().predict(List.of(example))[0];
          double q = 1;
          for (int t = 0; t < 3; t++) {
            q *= truth(t, f, g);
            off += Math.abs(predicted[t] - q) / (3 * VALUES * VALUES);
          }
        }
      }
      assertThat(off).isLessThan(0.02);
    }
  }

  // 4. Without reconstruction and selection what is left is shared features and a tower each.
  @Test
  void withoutItsModulesItIsAFeatureSharingMultiTowerNet() {
    Pipeline bare = pipeline("tafe, tower: [6], reconstruct: false, select: false");
    Pipeline plain = pipeline("esmm, tower: [6]");
    List<EncodedExample> batch = funnel(30, 1);
    List<EmbeddingTable> rows =
        EmbeddingTable.of(bare.context(bare.models().get(0)), bare.training().embeddings());
    try (Network tafe = new Network(bare.context(bare.models().get(0)), rows);
        Network esmm = new Network(plain.context(plain.models().get(0)), rows)) {
      for (int i = 0; i < esmm.parameters().size(); i++) {
        Parameter parameter = esmm.parameters().get(i);
        for (int j = 0; j < tafe.parameters().size(); j++) {
          if (tafe.parameters().get(j).name().equals(parameter.name())) {
            esmm.weights().get(i).write(0, tafe.weights().get(j).copy());
          }
        }
      }
      assertThat(esmm.predict(batch)).isDeepEqualTo(tafe.predict(batch));
    }
  }

  // 5. Fields are a set to the attention: in another order, its results come in that order. The
  // gates are set to be all equal here, for squeeze-and-excitation does know one field from
  // another.
  @Test
  void attentionSeesFieldsAsASet() {
    Map<String, Object> attributes =
        new HashMap<>(Map.of("path", false, "stop", false, "softmax", false));
    attributes.putAll(Map.of("reconstruct", true, "select", true));
    attributes.putAll(Map.of("fields", 3, "dim", 3, "selector_at", 0));
    attributes.putAll(Map.of("sizes", List.of(3), "counts", List.of(3)));
    attributes.putAll(Map.of("seeds_at", List.of(0), "mix_at", List.of(1)));
    attributes.putAll(Map.of("feedforward_at", List.of(2, 4), "excitation_at", List.of(6, 8)));
    for (String place : List.of("indicator_at", "tower_at", "projection_at")) {
      attributes.put(place, List.of());
    }
    String door =
        """

            def represented(self, x: List[Tensor]) -> List[Tensor]:
                return [self.represent(x[0], x[1:])]
        """;
    int[][] sizes = {{2, 3}, {1}, {3, 4}, {4}, {4, 3}, {3}, {3, 1}, {1}, {1, 3}, {3}};
    Random random = new Random(3);
    List<float[]> x = new ArrayList<>();
    List<long[]> shapes = new ArrayList<>();
    x.add(new float[] {1, 2, 0, -1, 0.5f, 1, 0.3f, -2, 2});
    shapes.add(new long[] {1, 3, 3});
    for (int i = 0; i < sizes.length; i++) {
      int count = sizes[i][0] * (sizes[i].length > 1 ? sizes[i][1] : 1);
      float[] values = new float[count];
      for (int j = 0; j < count; j++) {
        values[j] = i >= 6 ? 0 : (float) random.nextGaussian();
      }
      x.add(values);
      shapes.add(
          sizes[i].length > 1 ? new long[] {sizes[i][0], sizes[i][1]} : new long[] {sizes[i][0]});
    }
    try (TorchEngine.Module module = Doors.open("tafe", "Tafe", attributes, door)) {
      float[] straight = Doors.call(module, "represented", x, shapes).get(0);
      x.set(0, new float[] {0.3f, -2, 2, 1, 2, 0, -1, 0.5f, 1});
      float[] turned = Doors.call(module, "represented", x, shapes).get(0);
      float[] expected = new float[9];
      for (int i = 0; i < 9; i++) {
        expected[(i + 3) % 9] = straight[i];
      }
      assertThat(turned).containsExactly(expected, within(1e-5f));
      assertThat(straight[0]).isNotEqualTo(straight[3]);
    }
  }
}
