package dev.freshet.core.models.adaftr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.TestingExamples;
import dev.freshet.core.models.torch.Doors;
import dev.freshet.core.models.torch.HostBuffer;
import dev.freshet.core.models.torch.TorchEngine;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.settings.InvalidSettingsException;
import dev.freshet.training.ModelTrainer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The checks that a reader of the abstract can run, numbered as in our notes on it. */
class AdaFtrTest {

  private static final String SIZES = "bottom: [16], tower: [8], projection: 6, relatedness: [4]";

  private static Pipeline pipeline(String settings) {
    return TestingPipelines.shop(
        "{name: plain, kind: shared-bottom, bottom: [16], tower: [8]}",
        "{name: plain, kind: " + settings + "}");
  }

  private static ModelTrainer trained(String settings, int steps) {
    Pipeline pipeline = pipeline(settings);
    ModelTrainer trainer =
        new ModelTrainer(pipeline.context(pipeline.model("plain")), pipeline.training());
    List<EncodedExample> examples = TestingExamples.settled(pipeline, 64 * steps, 3);
    for (int i = 0; i < steps; i++) {
      trainer.process(examples.subList(64 * i, 64 * i + 64));
    }
    return trainer;
  }

  private static List<Float> weights(ModelTrainer trainer, String prefix) {
    List<Float> all = new ArrayList<>();
    for (int i = 0; i < trainer.network().parameters().size(); i++) {
      if (trainer.network().parameters().get(i).name().startsWith(prefix)) {
        FloatBuffer values = trainer.network().weights().get(i).read();
        for (int j = 0; j < values.capacity(); j++) {
          all.add(values.get(j));
        }
      }
    }
    return all;
  }

  // 1. A relatedness that says the same of every example is a constant temperature.
  @Test
  void constantRelatednessIsPlainInfoNce() {
    float[] u = {1, 0, 0, 1, 0.6f, 0.8f};
    float[] v = {0.8f, 0.6f, 0, 1, 1, 0};
    try (TorchEngine.Module adaptive = module(true);
        TorchEngine.Module constant = module(false)) {
      float[] zero = new float[3];
      assertThat(contrast(adaptive, u, v, zero)).containsExactly(contrast(constant, u, v, zero));
    }
    // tau = 1 - 0.9 / 2 = 0.55, by hand for the first row, where the others are both negatives.
    double[] s = {0.8 / 0.55, 0, 1 / 0.55};
    double[] t = {0.8 / 0.55, 0.6 / 0.55, (0.6 * 0.8 + 0.8 * 0.6) / 0.55};
    double expected = (nce(s) + nce(t)) / 2;
    try (TorchEngine.Module module = module(true)) {
      assertThat((double) contrast(module, u, v, new float[3])[0])
          .isCloseTo(expected, within(1e-5));
    }
  }

  private static double nce(double[] s) {
    return -Math.log(Math.exp(s[0]) / (Math.exp(s[0]) + Math.exp(s[1]) + Math.exp(s[2])));
  }

  // 2. Without contrast nothing is left but the base model: shared-bottom, bit for bit.
  @Test
  void withoutContrastItIsTheBaseModel() {
    String base = "shared-bottom, bottom: [16], tower: [8]";
    try (ModelTrainer plain = trained(base, 10);
        ModelTrainer same = trained("adaftr, " + SIZES + ", space: direct, weight: 0", 10);
        ModelTrainer other = trained("adaftr, " + SIZES + ", space: direct, weight: 0.1", 10)) {
      for (String part : List.of("bottom", "tower")) {
        assertThat(weights(same, part)).isNotEmpty().isEqualTo(weights(plain, part));
        assertThat(weights(other, part)).isNotEqualTo(weights(plain, part));
      }
    }
  }

  // 3. The temperature keeps its bounds whatever the network says.
  @Test
  void temperatureKeepsItsBounds() {
    try (TorchEngine.Module module = module(true)) {
      float[] tau =
          Doors.call(
                  module,
                  "tau_of",
                  List.of(new float[] {-1e9f, -3, 0, 3, 1e9f}),
                  List.of(new long[] {5}))
              .get(0);
      assertThat(tau[0]).isEqualTo(1f);
      assertThat(tau[4]).isCloseTo(0.1f, within(1e-6f));
      for (int i = 1; i < 5; i++) {
        assertThat(tau[i]).isBetween(0.1f, 1f).isLessThan(tau[i - 1]);
      }
    }
  }

  // 4. d l / d tau = (S_ii - E_softmax[S_i]) / tau^2, here as the gradient that autograd finds.
  @Test
  void derivativeInTheTemperatureIsTheKnownOne() {
    float[] u = {1, 0, 0, 1, 0.6f, 0.8f};
    float[] v = {0.8f, 0.6f, 0, 1, 1, 0};
    float[] tau = {0.5f, 0.7f, 0.3f};
    try (TorchEngine.Module module = module(false)) {
      float[] found =
          Doors.call(
                  module,
                  "tau_gradient",
                  List.of(u, v, tau),
                  List.of(new long[] {3, 2}, new long[] {3, 2}, new long[] {3}))
              .get(0);
      for (int i = 0; i < 3; i++) {
        double[] row = new double[3];
        double[] column = new double[3];
        for (int j = 0; j < 3; j++) {
          row[j] = u[2 * i] * v[2 * j] + u[2 * i + 1] * v[2 * j + 1];
          column[j] = u[2 * j] * v[2 * i] + u[2 * j + 1] * v[2 * i + 1];
        }
        double expected = (slope(row, i, tau[i]) + slope(column, i, tau[i])) / 2;
        assertThat((double) found[i]).isCloseTo(expected, within(1e-4));
      }
    }
  }

  private static double slope(double[] s, int own, double tau) {
    double total = 0;
    double mean = 0;
    for (double value : s) {
      total += Math.exp(value / tau);
      mean += value * Math.exp(value / tau);
    }
    return (s[own] - mean / total) / (tau * tau);
  }

  // 6. The relatedness network learns without moving what it looks at.
  @Test
  void relatednessLeavesTheModelAlone() {
    String taught = "adaftr, " + SIZES + ", weight: 0, supervision: 5";
    try (ModelTrainer plain = trained("adaftr, " + SIZES + ", weight: 0", 1);
        ModelTrainer apart = trained(taught, 1);
        ModelTrainer through = trained(taught + ", stop-gradient: false", 1)) {
      assertThat(weights(apart, "bottom")).isEqualTo(weights(plain, "bottom"));
      assertThat(weights(through, "bottom")).isNotEqualTo(weights(plain, "bottom"));
      assertThat(weights(apart, "pair0.relatedness"))
          .isNotEqualTo(weights(plain, "pair0.relatedness"));
    }
  }

  @Test
  void sameUserAndItemAndWhatIsNotLearntAreNoNegatives() {
    try (TorchEngine.Module module = module(true);
        TorchEngine.Call call = module.call("negatives_of")) {
      HostBuffer same = new HostBuffer();
      same.longs(4).put(new long[] {7, 8, 7, 9});
      FloatBuffer out =
          call.add("same", same, 4)
              .add("learnt", Doors.filled(1, 1, 2, 0), 4)
              .add("noise", Doors.filled(0, 0, 0, 0), 4, 1)
              .run()
              .get(0);
      float[] allowed = new float[16];
      out.get(allowed);
      assertThat(allowed).containsExactly(1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 1, 1);
    }
  }

  @Test
  void aCountOfNegativesIsKept() {
    Map<String, Object> attributes = attributes(true);
    attributes.put("negatives", 2);
    Random random = new Random(3);
    int n = 20;
    float[] noise = new float[n];
    float[] learnt = new float[n];
    long[] ids = new long[n];
    for (int i = 0; i < n; i++) {
      noise[i] = (float) random.nextGaussian();
      learnt[i] = 1;
      ids[i] = i;
    }
    try (TorchEngine.Module module = Doors.open("adaftr", "AdaFtr", attributes, DOORS);
        TorchEngine.Call call = module.call("negatives_of")) {
      HostBuffer same = new HostBuffer();
      same.longs(n).put(ids);
      FloatBuffer out =
          call.add("same", same, n)
              .add("learnt", Doors.filled(learnt), n)
              .add("noise", Doors.filled(noise), n, 1)
              .run()
              .get(0);
      for (int i = 0; i < n; i++) {
        float sum = 0;
        for (int j = 0; j < n; j++) {
          sum += out.get(i * n + j);
        }
        assertThat(sum).as("itself and two others").isEqualTo(3);
      }
    }
  }

  @Test
  void identityMustNameFields() {
    assertThatThrownBy(() -> pipeline("adaftr, identity: [user, nobody]"))
        .isInstanceOf(InvalidSettingsException.class)
        .hasMessageContaining("models[1].identity: 'nobody'; allowed: one of");
  }

  @Test
  void aContrastIsNotSharedByTrainers() {
    for (String compares : List.of("weight: 0.1", "space: reached")) {
      assertThatThrownBy(() -> ofTwoTrainers(compares))
          .isInstanceOf(InvalidSettingsException.class)
          .hasMessageContaining("training.trainers: '2'; allowed: 1: model plain compares");
    }
    assertThat(ofTwoTrainers("supervision: 1").training().trainers()).isEqualTo(2);
  }

  private static Pipeline ofTwoTrainers(String settings) {
    return PipelineFile.parse(
        TestingPipelines.SHOP
            .replace("kind: shared-bottom, bottom: [16], tower: [8]", "kind: adaftr, " + settings)
            .replace("training: {", "training: {trainers: 2, "),
        "test");
  }

  private static final String DOORS =
      """

          def tau_of(self, x: List[Tensor]) -> List[Tensor]:
              return [self.temperature(x[0])]

          def all_of(self, x: Tensor) -> Tensor:
              ones = torch.ones_like(x[:, 0])
              return self.allowed(ones.cumsum(0).long(), ones, x)

          def rows(self, x: List[Tensor]) -> List[Tensor]:
              return [self.contrast(x[0], x[1], self.temperature(x[2]), self.all_of(x[0]))]

          def tau_gradient(self, x: List[Tensor]) -> List[Tensor]:
              torch.set_grad_enabled(True)
              tau = layers.leaves([x[2]])
              l = self.contrast(x[0], x[1], tau[0], self.all_of(x[0]))
              out = layers.gradients(l.sum(), tau, False)
              torch.set_grad_enabled(False)
              return out

          def negatives_of(self, same: Tensor, learnt: Tensor, noise: Tensor) -> List[Tensor]:
              return [self.allowed(same, learnt, noise).float()]
      """;

  private static TorchEngine.Module module(boolean adaptive) {
    return Doors.open("adaftr", "AdaFtr", attributes(adaptive), DOORS);
  }

  private static Map<String, Object> attributes(boolean adaptive) {
    Map<String, Object> all =
        new HashMap<>(Map.of("project", true, "stop", true, "separate", false));
    for (String place :
        List.of("bottom_at", "tower_at", "first_at", "second_at", "relatedness_at")) {
      all.put(place, List.of());
    }
    all.putAll(Map.of("space", "entire", "negatives", 0));
    all.putAll(Map.of("weight", 1.0, "supervision", 0.0, "pull", 0.0, "prior", 0.5));
    all.putAll(Map.of("adaptive", adaptive, "tau", 0.55, "tau_min", 0.1, "tau_max", 1.0));
    return all;
  }

  private static float[] contrast(TorchEngine.Module module, float[] u, float[] v, float[] logit) {
    long[] views = {3, 2};
    return Doors.call(module, "rows", List.of(u, v, logit), List.of(views, views, new long[] {3}))
        .get(0);
  }
}
