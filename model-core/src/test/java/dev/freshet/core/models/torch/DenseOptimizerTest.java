package dev.freshet.core.models.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.TrainingSettings.Dense.Optimizer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Steps of the dense weights beside their definitions, worked out in doubles. */
class DenseOptimizerTest {

  private static final int[] SIZES = {3, 2};
  private static final float RATE = 0.05f;
  private static final float EPSILON = 0.01f;
  private static final float BOUND = 100;
  private static final float NONE = Float.POSITIVE_INFINITY;

  private static final String SCRIPT =
      """
      class Check(Module):
          training: bool
          hyper_names: List[str]

          def step(
              self,
              p: List[Tensor],
              g: List[Tensor],
              m: List[Tensor],
              v: List[Tensor],
              steps: List[Tensor],
              rows: List[Tensor],
              hyper: Tensor,
          ) -> List[Tensor]:
              named = layers.named(self.hyper_names, hyper)
              told = layers.update(p, g, m, v, steps, torch.zeros([1]), rows, named)
              return p + m + v + steps + g + [told]
      """;

  /** Weights and what is kept of them, as the script has left them. */
  private final List<List<float[]>> state = new ArrayList<>();

  private float[] told;

  private void run(
      TorchEngine.Module module, List<float[]> gradient, float[] rows, float... hyper) {
    try (TorchEngine.Call call = module.call("step")) {
      add(call, "p", state.get(0));
      add(call, "g", gradient);
      add(call, "m", state.get(1));
      add(call, "v", state.get(2));
      for (float[] count : state.get(3)) {
        call.addToList("steps", buffer(count), new long[0]);
      }
      add(call, "rows", List.of(rows));
      List<FloatBuffer> out = call.add("hyper", buffer(hyper), hyper.length).run();
      List<float[]> flat = new ArrayList<>();
      for (FloatBuffer values : out) {
        float[] copy = new float[values.capacity()];
        values.get(0, copy);
        flat.add(copy);
      }
      state.clear();
      for (int i = 0; i < 4; i++) {
        state.add(flat.subList(i * SIZES.length, (i + 1) * SIZES.length));
      }
      assertThat(flat.subList(4 * SIZES.length, 5 * SIZES.length))
          .as("gradients may be used by others")
          .usingRecursiveComparison()
          .isEqualTo(gradient);
      told = flat.get(flat.size() - 1);
    }
  }

  private static void add(TorchEngine.Call call, String name, List<float[]> tensors) {
    for (float[] values : tensors) {
      call.addToList(name, buffer(values), values.length);
    }
  }

  private static HostBuffer buffer(float... values) {
    HostBuffer buffer = new HostBuffer();
    buffer.floats(values.length).put(values);
    return buffer;
  }

  private static TorchEngine.Module module() {
    return TorchEngine.load(
        ScriptArchive.ofSource("Check", SCRIPT, Map.of("hyper_names", ModelDefinition.HYPER)));
  }

  private void start(Random random) {
    state.clear();
    for (int group = 0; group < 4; group++) {
      List<float[]> tensors = new ArrayList<>();
      for (int size : SIZES) {
        float[] values = new float[group == 3 ? 1 : size];
        for (int i = 0; group == 0 && i < size; i++) {
          values[i] = (float) random.nextGaussian();
        }
        tensors.add(values);
      }
      state.add(tensors);
    }
  }

  private static List<float[]> gradient(Random random, double size) {
    List<float[]> gradient = new ArrayList<>();
    for (int of : SIZES) {
      float[] values = new float[of];
      for (int i = 0; i < of; i++) {
        values[i] = (float) (size * random.nextGaussian());
      }
      gradient.add(values);
    }
    return gradient;
  }

  @ParameterizedTest
  @CsvSource({
    "ADAM, 0, 0",
    "ADAM, 0.1, 0",
    "ADAGRAD, 0, 0",
    "ADAGRAD, 0.1, 1.5",
    "SGD, 0, 0",
    "SGD, 0.1, 1.5",
    "ADAM, 0, 1.5"
  })
  void stepsAreThoseOfTheOracle(Optimizer optimizer, float decay, float clip) {
    Random random = new Random(5);
    start(random);
    double[] weights = flat(state.get(0));
    double[] first = new double[weights.length];
    double[] second = new double[weights.length];
    int clipped = 0;
    try (TorchEngine.Module module = module()) {
      for (int step = 1; step <= 50; step++) {
        int examples = 1 + random.nextInt(500);
        List<float[]> given = gradient(random, 1);
        run(
            module,
            given,
            new float[] {0},
            RATE,
            decay,
            BOUND,
            EPSILON / examples,
            optimizer.ordinal(),
            clip == 0 ? NONE : clip,
            examples);
        double[] g = flat(given);
        double norm = 0;
        for (double one : g) {
          norm += one * one;
        }
        norm = Math.sqrt(norm);
        assertThat(told[0]).isCloseTo((float) norm, within(1e-5f));
        assertThat(told[1]).isEqualTo(1);
        double share = clip == 0 || norm <= clip ? 1 : clip / norm;
        clipped += share < 1 ? 1 : 0;
        for (int i = 0; i < weights.length; i++) {
          double mean = g[i] * share + decay * weights[i];
          double sum = mean * examples;
          switch (optimizer) {
            case ADAM -> {
              first[i] = 0.9 * first[i] + 0.1 * mean;
              second[i] = 0.999 * second[i] + 0.001 * mean * mean;
              double root = Math.sqrt(second[i] / (1 - Math.pow(0.999, step)));
              double unbiased = first[i] / (1 - Math.pow(0.9, step));
              weights[i] -= RATE * unbiased / (root + (double) EPSILON / examples);
            }
            case ADAGRAD -> {
              second[i] += sum * sum;
              weights[i] -= RATE * sum / (Math.sqrt(second[i]) + EPSILON);
            }
            default -> weights[i] -= RATE * mean;
          }
        }
        assertThat(flat(state.get(0))).containsExactly(weights, within(2e-5));
      }
    }
    assertThat(clipped > 0 && clipped < 50).isEqualTo(clip > 0);
  }

  @Test
  void rowsAreClippedByTheirOwnNorm() {
    start(new Random(1));
    try (TorchEngine.Module module = module()) {
      run(module, gradient(new Random(2), 1e-3), new float[] {3, 4}, RATE, 0, BOUND, 1, 2, 2, 1);
      assertThat(told[2]).isCloseTo(0.4f, within(1e-6f));
      run(module, gradient(new Random(2), 9), new float[] {0.3f, 0.4f}, RATE, 0, BOUND, 1, 2, 2, 1);
      assertThat(told[2]).isEqualTo(1);
      run(module, gradient(new Random(2), 9), new float[] {0}, RATE, 0, BOUND, 1, 2, NONE, 1);
      assertThat(told[2]).isEqualTo(1);
    }
  }

  /** The bound is of gradients as they are, before they are clipped. */
  @ParameterizedTest
  @CsvSource({"ADAM", "ADAGRAD", "SGD"})
  void whatIsTooLargeTouchesNothing(Optimizer optimizer) {
    Random random = new Random(1);
    start(random);
    try (TorchEngine.Module module = module()) {
      float kind = optimizer.ordinal();
      run(module, gradient(random, 1), new float[] {0}, RATE, 0, BOUND, 1, kind, 2, 1);
      List<List<float[]>> before = List.copyOf(state);
      for (float[] rows : new float[][] {{101}, {Float.NaN}, {0}}) {
        run(module, gradient(random, rows[0] == 0 ? 1e3 : 1), rows, RATE, 0, BOUND, 1, kind, 2, 1);
        assertThat(told[1]).isZero();
        assertThat(state).usingRecursiveComparison().isEqualTo(before);
      }
    }
  }

  private static double[] flat(List<float[]> tensors) {
    double[] flat = new double[SIZES[0] + SIZES[1]];
    int at = 0;
    for (float[] values : tensors) {
      for (float value : values) {
        flat[at++] = value;
      }
    }
    return flat;
  }
}
