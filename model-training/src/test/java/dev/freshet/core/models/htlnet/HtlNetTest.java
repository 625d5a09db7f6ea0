package dev.freshet.core.models.htlnet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.models.ModelShape;
import dev.freshet.core.models.torch.Doors;
import dev.freshet.core.models.torch.TorchEngine;
import dev.freshet.core.network.Network;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.training.Learner;
import dev.freshet.training.ModelTrainer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The checks that a reader of the paper can run, numbered as in our notes on it. */
class HtlNetTest {

  private static final String MAIN = "{name: main, kind: htlnet, tower: [16, 8], tau-steps: 50";

  // 1. The core task's loss reaches the shared embeddings and the transfer units, and no other
  // tower.
  @Test
  void theCoreTaskLeavesEarlierTowersAlone() {
    assertThat(changedBy("before", 2))
        .contains("tower2", "label0", "label1", "fusion2", "embedding")
        .doesNotContain("tower0", "tower1", "fusion1");
  }

  @Test
  void literalStopGradientFreezesTheUnits() {
    assertThat(changedBy("literal", 2))
        .contains("tower2", "embedding")
        .doesNotContain("tower0", "tower1", "label0", "label1", "fusion1", "fusion2");
  }

  @Test
  void withoutStopGradientEverythingBeforeIsReached() {
    assertThat(changedBy("none", 2))
        .contains("tower0", "tower1", "tower2", "fusion1", "fusion2", "label0", "label1");
  }

  @Test
  void aMaskedTaskChangesNothing() {
    assertThat(changedBy("before", -1)).isEmpty();
  }

  /** Groups of weights that a second step on a single task's labels changes. */
  private static TreeSet<String> changedBy(String stopGradient, int onlyTask) {
    Pipeline pipeline = TestingPipelines.shop(MAIN, MAIN + ", stop-gradient: " + stopGradient);
    try (ModelTrainer trainer =
        new ModelTrainer(pipeline.context(pipeline.model("main")), pipeline.training())) {
      List<EncodedExample> batch = new ArrayList<>();
      for (EncodedExample example : TestingExamples.settled(pipeline, 64, 5)) {
        TaskLabel[] labels = new TaskLabel[3];
        for (int task = 0; task < 3; task++) {
          double value = example.labels()[task].value();
          labels[task] =
              new TaskLabel(LabelKind.FINAL, value, task == onlyTask ? 1 : 0, 0, -1, true);
        }
        batch.add(example.withLabels(labels));
      }
      // The units' values start at 0, and what is before them is reached once they have moved.
      trainer.process(batch);
      Map<String, List<Float>> before = weights(trainer.learner());
      trainer.process(batch);
      Map<String, List<Float>> after = weights(trainer.learner());
      return before.keySet().stream()
          .filter(name -> !before.get(name).equals(after.get(name)))
          .map(name -> name.split("\\.")[0])
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private static Map<String, List<Float>> weights(Learner learner) {
    Network network = learner.network();
    Map<String, List<Float>> weights = new HashMap<>();
    for (int i = 0; i < network.parameters().size(); i++) {
      FloatBuffer values = network.weights().get(i).read();
      List<Float> list = new ArrayList<>();
      for (int j = 0; j < values.capacity(); j++) {
        list.add(values.get(j));
      }
      weights.put(network.parameters().get(i).name(), list);
    }
    List<Float> rows = new ArrayList<>();
    learner
        .tables()
        .forEach(
            table -> {
              try {
                // Only rows for unknown values and those that were there before can be compared.
                table.eachRow(
                    (key, values, at) -> {
                      if (rows.size() < 4) {
                        rows.add(values[at]);
                      }
                    });
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    weights.put("embedding", rows);
    return weights;
  }

  // 2. Without direction and magnitude the shared gradient is the plain sum.
  @Test
  void noDirectionAndNoMagnitudeIsThePlainSum() {
    float[] g = random(12, 1);
    assertThat(adjusted(0, 0, 10, g, random(12, 2))).containsExactly(g, within(1e-6f));
  }

  // 3. A conflict is removed entirely at alpha 1; where there is none, nothing is turned.
  @Test
  void aConflictIsRemoved() {
    float[] core = random(12, 3);
    float[] g = random(12, 4);
    if (dot(g, core) > 0) {
      negate(g);
    }
    assertThat(dot(adjusted(1, 0, 10, g, core), core)).isCloseTo(0, within(1e-5));
    assertThat(dot(adjusted(0.5, 0, 10, g, core), core))
        .isCloseTo(0.5 * dot(g, core), within(1e-5));
    negate(g);
    assertThat(adjusted(1, 0, 10, g, core)).containsExactly(g, within(1e-6f));
  }

  // 4. At gamma 1 a gradient takes the core's norm, within the clip.
  @Test
  void magnitudeMovesToTheCoreGradients() {
    float[] core = random(12, 5);
    float[] g = random(12, 6);
    if (dot(g, core) < 0) {
      negate(g);
    }
    double norm = Math.sqrt(dot(core, core));
    float[] moved = adjusted(1, 1, 1000, g, core);
    assertThat(Math.sqrt(dot(moved, moved))).isCloseTo(norm, within(1e-5));
    float[] large = core.clone();
    for (int i = 0; i < large.length; i++) {
      large[i] *= 50;
    }
    float[] clipped = adjusted(1, 1, 10, g, large);
    assertThat(Math.sqrt(dot(clipped, clipped))).isCloseTo(10 * Math.sqrt(dot(g, g)), within(1e-4));
    assertThat(adjusted(1, 1, 10, g, new float[12]))
        .as("no reference")
        .containsExactly(g, within(1e-6f));
  }

  // 5. Rows that the batch does not touch have zero gradient and change no dot and no norm.
  @Test
  void untouchedRowsDoNotMatter() {
    float[] core = random(12, 7);
    float[] g = random(12, 8);
    float[] onBatch = adjusted(1, 0.5, 10, g, core);
    float[] onTable = adjusted(1, 0.5, 10, Arrays.copyOf(g, 400), Arrays.copyOf(core, 400));
    for (int i = 0; i < 12; i++) {
      assertThat(onTable[i]).isCloseTo(onBatch[i], within(1e-6f));
    }
  }

  private static float[] adjusted(
      double alpha, double gamma, double clip, float[] g, float[] core) {
    try (TorchEngine.Module module = module(alpha, gamma, clip);
        TorchEngine.Call call = module.call("shared")) {
      FloatBuffer out =
          call.addToList("rows", Doors.filled(g), g.length / 4, 4)
              .addToList("rows", Doors.filled(core), core.length / 4, 4)
              .run()
              .get(0);
      float[] own = values(out);
      for (int i = 0; i < own.length; i++) {
        own[i] -= core[i];
      }
      return own;
    }
  }

  // 6. The label embedding: the expectation at temperature 1, nearly one row when cold, and rows
  // drawn as often as they are likely when there is noise.
  @Test
  void labelEmbeddingIsTheExpectationAndItsDrawsFollowThePrediction() {
    float p = 0.3f;
    float logit = (float) Math.log(p / (1 - p));
    float[] table = {1, 10, 3, 30};
    assertThat(label(new float[] {logit}, table, new float[2], 1))
        .containsExactly(new float[] {p * 1 + 0.7f * 3, p * 10 + 0.7f * 30}, within(1e-4f));
    float[] cold = label(new float[] {logit}, table, new float[2], 0.05f);
    assertThat(cold[0]).isCloseTo(3, within(1e-3f));

    int draws = 20_000;
    Random random = new Random(9);
    float[] logits = new float[draws];
    float[] noise = new float[2 * draws];
    for (int i = 0; i < draws; i++) {
      logits[i] = logit;
      noise[2 * i] = (float) -Math.log(-Math.log(random.nextDouble()));
      noise[2 * i + 1] = (float) -Math.log(-Math.log(random.nextDouble()));
    }
    float[] drawn = label(logits, new float[] {1, 0, 0, 0}, noise, 0.01f);
    double ones = 0;
    for (int i = 0; i < draws; i++) {
      ones += drawn[2 * i] > 0.5 ? 1 : 0;
    }
    double error = Math.sqrt(p * (1 - p) / draws);
    assertThat(ones / draws).isCloseTo(p, within(4 * error));
  }

  private static float[] label(float[] logits, float[] table, float[] noise, float tau) {
    try (TorchEngine.Module module = module(1, 0, 10);
        TorchEngine.Call call = module.call("label_list")) {
      return values(
          call.add("o", Doors.filled(logits), logits.length)
              .add("table", Doors.filled(table), 2, 2)
              .add("noise", Doors.filled(noise), logits.length, 2)
              .add("tau", Doors.filled(tau))
              .run()
              .get(0));
    }
  }

  // 7. One predecessor: the unit is its value map. Two: their order does not matter.
  @Test
  void fusionOfOneIsItsValueMapAndOrderDoesNotMatter() {
    float[] a = random(4, 10);
    float[] b = random(4, 11);
    float[] p = random(6 * 4, 12);
    float[] value = {
      a[0] * p[0] + a[1] * p[2] + p[4], a[0] * p[1] + a[1] * p[3] + p[5],
      a[2] * p[0] + a[3] * p[2] + p[4], a[2] * p[1] + a[3] * p[3] + p[5]
    };
    assertThat(fuse(p, a)).containsExactly(value, within(1e-5f));
    assertThat(fuse(p, a, b)).containsExactly(fuse(p, b, a), within(1e-6f));
  }

  /** Fuses vectors (2, 2) with weights (2, 2) and biases (2) for value, query and key. */
  private static float[] fuse(float[] p, float[]... inputs) {
    try (TorchEngine.Module module = module(1, 0, 10);
        TorchEngine.Call call = module.call("fuse_list")) {
      for (float[] input : inputs) {
        call.addToList("u", Doors.filled(input), 2, 2);
      }
      for (int i = 0; i < 3; i++) {
        call.addToList("p", Doors.filled(Arrays.copyOfRange(p, i * 6, i * 6 + 4)), 2, 2);
        call.addToList("p", Doors.filled(Arrays.copyOfRange(p, i * 6 + 4, i * 6 + 6)), 2);
      }
      return values(call.run().get(0));
    }
  }

  /** The script itself, with doors to its inner methods that take and give tensors only. */
  private static TorchEngine.Module module(double alpha, double gamma, double clip) {
    String doors =
        """

            def label_list(self, o: Tensor, table: Tensor, noise: Tensor, tau: Tensor) -> List[Tensor]:
                return [self.label(o, table, noise, float(tau))]

            def fuse_list(self, u: List[Tensor], p: List[Tensor]) -> List[Tensor]:
                return [layers.fuse(u, p, [0, 2, 4])]
        """;
    Map<String, Object> attributes = new HashMap<>();
    attributes.putAll(Map.of("representation", 0, "tau", 1.0, "norm_after", false));
    for (String place :
        List.of("tower_at", "fused_representations_at", "fused_labels_at", "label_table_at")) {
      attributes.put(place, List.of());
    }
    attributes.putAll(Map.of("stop_before", true, "stop_after", false, "adjust", true));
    attributes.putAll(Map.of("label_embedding", true, "fusion", true, "tasks", 2, "binary", 1));
    attributes.putAll(Map.of("alpha", alpha, "gamma", gamma, "clip", clip));
    return Doors.open("htlnet", "HtlNet", attributes, doors);
  }

  @Test
  void withoutNoiseTheTemperatureIsThatOfAPrediction() {
    HtlNet model = (HtlNet) TestingPipelines.shop().model("main");
    assertThat(model.hyper(0)).containsExactly(1);
    assertThat(model.hyper(1000)).containsExactly(1);
    HtlNet likelier = noisy("noise: false, inference: likelier");
    assertThat(likelier.hyper(0)[0]).isLessThan(0.001f);
  }

  private static HtlNet noisy(String noise) {
    return (HtlNet) TestingPipelines.shop("tau-steps: 50", "tau-steps: 50, " + noise).model("main");
  }

  @Test
  void withNoiseTheTemperatureFallsGeometricallyToItsFloor() {
    HtlNet model = noisy("noise: true");
    assertThat(model.hyper(0)[0]).isEqualTo(5f);
    assertThat(model.hyper(25)[0]).isCloseTo((float) Math.sqrt(5 * 0.5), within(1e-5f));
    assertThat(model.hyper(1000)[0]).isEqualTo(0.5f);
    assertThat(model.parameters(new ModelShape(1, false, List.of("f"), List.of(8), List.of())))
        .as("a single task needs no units")
        .hasSize(6);
  }

  private static float[] random(int size, long seed) {
    Random random = new Random(seed);
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static void negate(float[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = -values[i];
    }
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  private static float[] values(FloatBuffer buffer) {
    float[] values = new float[buffer.remaining()];
    buffer.get(values);
    return values;
  }
}
