package dev.freshet.core.models.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.ModelShape;
import dev.freshet.core.models.Models;
import dev.freshet.core.models.Parameter;
import dev.freshet.core.models.torch.HostBuffer;
import dev.freshet.core.models.torch.TensorValues;
import dev.freshet.core.models.torch.TorchEngine;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.PipelineFile;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every model against its {@link Oracle}: predictions and losses to 1e-5, every dense weight's and
 * every row's gradient to 1e-4 of the oracle's central differences.
 */
class OracleTest {

  private static final int SIZE = 9;
  private static final int ROWS = 6;
  // Small, for where a ReLU begins within it there is no derivative.
  private static final double STEP = 2e-6;

  static Stream<String> models() {
    return Stream.of(
        "single-task, tower: [5, 3]",
        "single-task, tower: [5], amount: {loss: huber, delta: 0.3}",
        "shared-bottom, bottom: [6, 5], tower: [4]",
        "shared-bottom, bottom: [6], tower: [4], amount: {loss: ziln}",
        "esmm, tower: [5, 3]",
        "esmm, tower: [5], amount: {loss: ziln}",
        "mmoe, experts: 3, expert: [5, 4], tower: [4]",
        "ple, own: 2, shared: 1, levels: [5, 4], tower: [3]",
        "aitm, bottom: [6, 5], tower: [4], penalty: 0.6",
        "htlnet, tower: [5, 4], label-size: 3",
        "htlnet, tower: [5, 4], label-size: 3, noise: true",
        "htlnet, tower: [5, 4], label-size: 3, stop-gradient: literal, representation: last",
        "htlnet, tower: [5, 4], label-size: 3, stop-gradient: none, alpha: 0.5, gamma: 0.7",
        "htlnet, tower: [5, 4], label-size: 3, rho-norm: after, gamma: 0.7, clip: 1.5",
        "htlnet, tower: [5, 4], fusion: false, adjust: false, amount: {loss: ziln}",
        "htlnet, tower: [5, 4], label-embedding: false, amount: {loss: huber}",
        "tafe, groups: 2, seeds: 2, indicator: 3, tower: [5]",
        "tafe, groups: 1, seeds: 3, indicator: 3, tower: [5], loss: path, selector: softmax",
        "tafe, tower: [5], stop-gradient: true, reconstruct: false",
        "tafe, groups: 1, seeds: 2, tower: [5], select: false, amount: {loss: ziln}",
        "adaftr, weight: 0.1, bottom: [6], tower: [5, 4], projection: 3, relatedness: [4]",
        "adaftr, weight: 0.1, sharing: embeddings, bottom: [6], tower: [5, 4], projection: 3, relatedness: [4]",
        "adaftr, weight: 0.1, bottom: [6], tower: [5], projection: 0, stop-gradient: false, tau-min: 0.2",
        "adaftr, weight: 0.1, bottom: [6], tower: [5], temperature: constant, space: reached, supervision: 0.3",
        "adaftr, weight: 0.1, bottom: [6], tower: [5], space: direct, prior-weight: 0.5, amount: {loss: huber}");
  }

  @Test
  void everyKindHasItsOracle() {
    Set<String> kinds = models().map(m -> m.split(",")[0]).collect(Collectors.toSet());
    assertThat(kinds).isEqualTo(Models.kinds().keySet());
  }

  @ParameterizedTest
  @MethodSource("models")
  void agreesForTwoStepsAndAnAmount(String model) {
    check(model, 2, true, false);
  }

  @ParameterizedTest
  @MethodSource("models")
  void agreesForThreeStepsAlone(String model) {
    // Without an amount its loss is a setting without use, which is refused.
    check(model.replaceFirst(", amount: \\{[^}]*}", ""), 3, false, false);
  }

  @ParameterizedTest
  @MethodSource("models")
  void agreesWithAttention(String model) {
    check(model, 2, true, true);
  }

  private static void check(String text, int binary, boolean core, boolean attention) {
    Pipeline pipeline = pipeline(text, binary, core, attention);
    ModelDefinition model = pipeline.models().get(0);
    ModelShape shape = ModelShape.of(pipeline.tasks(), pipeline.schema());
    Oracle oracle = Oracles.of(model, shape);
    oracle.batch = batch(model, shape, pipeline, new Random(5));
    List<Parameter> parameters = model.dense(shape);
    List<double[]> start = new ArrayList<>();
    Random random = new Random(6);
    for (Parameter parameter : parameters) {
      double[] values = new double[parameter.size()];
      // So small that no row counts for next to nothing, whose gradient would be rounding alone,
      // and that what TAFE's parts add to each other, with nothing normalised, does not overflow.
      double usual = text.startsWith("tafe") ? 0.35 : 0.6;
      double size = parameter.name().startsWith("attention") ? 0.2 : usual;
      Arrays.setAll(values, i -> (float) (size * random.nextGaussian()));
      start.add(values);
      oracle.p.values.put(parameter.name(), values);
    }

    double[] hyper = hyper(model, oracle.batch);
    PythonCase python = new PythonCase(model.script(shape), parameters, start);
    python.handed(oracle.batch, pipeline, hyper);
    try (TorchEngine.Module module = TorchEngine.load(model.script(shape))) {
      List<List<TensorValues>> live = module.setup(groups(parameters, start));
      oracle.freeze();
      double[][] predictions = oracle.predictions();
      float[][] predicted = predicted(module, oracle.batch, pipeline, shape);
      for (int i = 0; i < SIZE; i++) {
        for (int k = 0; k < shape.tasks(); k++) {
          double allowed = 1e-5 * Math.max(1, Math.abs(predictions[i][k]));
          assertThat((double) predicted[i][k])
              .as("prediction of task %s for %s", k, i)
              .isCloseTo(predictions[i][k], within(allowed));
        }
      }
      oracle.freeze();
      double[] losses = oracle.losses();
      List<double[]> out = stepped(module, oracle.batch, pipeline, shape, hyper);
      python.gave(predicted, out);
      python.write(text + " " + binary + core + attention);
      assertThat(out.get(0)).as("losses").containsExactly(losses, within(1e-5));
      Gradients expected = new Gradients(oracle, losses.length);
      for (int i = 0; i < parameters.size(); i++) {
        // After one step Adam's first moment is a tenth of the gradient.
        double[] found = new double[parameters.get(i).size()];
        FloatBuffer moment = live.get(1).get(i).read();
        Arrays.setAll(found, j -> moment.get(j) / (1 - 0.9));
        double[][] perTask = expected.of(oracle.p.get(parameters.get(i).name()));
        double[] sum = new double[found.length];
        for (double[] gradient : perTask) {
          Arrays.setAll(sum, j -> sum[j] + gradient[j]);
        }
        close(found, sum, parameters.get(i).name());
      }
      double[][] rows = expected.ofRows();
      double[] found = {};
      for (double[] table : out.subList(3, out.size())) {
        found = Weights.concat(found, table);
      }
      close(found, oracle.combine(rows), "rows");
    }
  }

  private static void close(double[] found, double[] expected, String name) {
    assertThat(found).as(name).hasSameSizeAs(expected);
    double largest = Arrays.stream(expected).map(Math::abs).max().orElse(0);
    for (int i = 0; i < found.length; i++) {
      double allowed = 1e-4 * Math.max(Math.abs(expected[i]), 0.02 * largest) + 1e-7;
      assertThat(found[i]).as("%s[%s]", name, i).isCloseTo(expected[i], within(allowed));
    }
  }

  /** Central differences of the oracle's losses. */
  private record Gradients(Oracle oracle, int losses) {

    /** [loss][place] */
    double[][] of(double[] values) {
      double[][] all = new double[losses][values.length];
      for (int i = 0; i < values.length; i++) {
        double value = values[i];
        values[i] = value + STEP;
        double[] above = evaluate();
        values[i] = value - STEP;
        double[] below = evaluate();
        values[i] = value;
        for (int k = 0; k < losses; k++) {
          all[k][i] = (above[k] - below[k]) / (2 * STEP);
        }
      }
      return all;
    }

    /** [loss][place], all tables' rows one after the other. */
    double[][] ofRows() {
      double[][] all = new double[losses][0];
      for (double[][] table : oracle.batch.rows()) {
        for (double[] row : table) {
          double[][] part = of(row);
          for (int k = 0; k < losses; k++) {
            all[k] = Weights.concat(all[k], part[k]);
          }
        }
      }
      return all;
    }

    private double[] evaluate() {
      oracle.rewind();
      return oracle.losses();
    }
  }

  private static Pipeline pipeline(String model, int binary, boolean core, boolean attention) {
    StringBuilder file = new StringBuilder("pipeline: oracle\ntasks:\n");
    for (int i = 0; i < binary; i++) {
      file.append("  - {name: t%d, kind: binary, window: 1m}%n".formatted(i));
    }
    if (core) {
      file.append("  - {name: core, kind: continuous, window: 1m}\n");
    }
    // Two sizes of embedding; TAFE, which projects these, with one size too.
    int other = model.startsWith("tafe") && !core ? 4 : 3;
    file.append("features:\n  - {name: a, kind: categorical, dim: 4}\n");
    // Without a core task one size's rows have weights, with one all bags are means; unless they
    // are pooled by attention.
    String pooling = attention ? ", pooling: attention, target: a" : "";
    file.append("  - {name: b, kind: categorical, dim: 4, many: true, weighted: " + !core);
    file.append(pooling + "}\n");
    file.append("  - {name: c, kind: categorical, dim: " + other + "}\n");
    file.append("models:\n  - {name: m, kind: " + model + "}\n");
    return PipelineFile.parse(file.toString(), "oracle");
  }

  private static Batch batch(
      ModelDefinition model, ModelShape shape, Pipeline pipeline, Random random) {
    var groups = pipeline.schema().groups();
    int tables = groups.size() * model.rowSets(shape);
    double[][][] rows = new double[tables][ROWS][];
    int[][][][] bags = new int[tables][SIZE][][];
    double[][][][] shares = new double[tables][SIZE][][];
    for (int t = 0; t < tables; t++) {
      var group = groups.get(t % groups.size());
      for (int r = 0; r < ROWS; r++) {
        rows[t][r] = gaussian(random, group.dim() + model.firstOrder(shape));
      }
      for (int i = 0; i < SIZE; i++) {
        bags[t][i] = new int[group.fields().size()][];
        shares[t][i] = new double[group.fields().size()][];
        for (int f = 0; f < bags[t][i].length; f++) {
          // Every row is used, some bags hold several and one none.
          int values = f == 1 ? i % 3 : 1;
          bags[t][i][f] = random.ints(values, 0, ROWS).toArray();
          if (f == 0) {
            bags[t][i][f][0] = i % ROWS;
          }
          shares[t][i][f] = gaussian(random, values);
          if (f != 1 && !shape.attention().isEmpty()) {
            // A target has one row, whose weight is 1.
            Arrays.fill(shares[t][i][f], 1);
          } else if (!shape.attention().isEmpty()) {
            shares[t][i][f] = Arrays.stream(shares[t][i][f]).map(Math::abs).toArray();
          } else if (!group.weighted()) {
            Arrays.fill(shares[t][i][f], 1.0 / values);
          }
        }
      }
    }
    double[][] labels = new double[SIZE][shape.tasks()];
    double[][] weights = new double[SIZE][shape.tasks()];
    double[][] reached = new double[SIZE][shape.tasks()];
    double[][] noise = new double[SIZE][];
    long[] same = new long[SIZE];
    for (int i = 0; i < SIZE; i++) {
      double yes = 1;
      for (int k = 0; k < shape.tasks(); k++) {
        reached[i][k] = yes;
        yes *= (i + k) % 5 == 0 ? 0 : 1;
        labels[i][k] = k < shape.binary() ? yes : (float) (yes * (0.2 + 2 * random.nextDouble()));
        weights[i][k] = i == 4 || random.nextInt(5) == 0 ? 0 : (float) (0.5 + random.nextDouble());
      }
      noise[i] = gaussian(random, model.noise(shape));
      same[i] = i % 7;
    }
    return new Batch(
        rows,
        model.rowSets(shape),
        model.firstOrder(shape),
        bags,
        shares,
        shape.attention(),
        labels,
        weights,
        reached,
        same,
        noise,
        model.hyper(0).length > 0 ? 0.7f : 1);
  }

  private static double[] gaussian(Random random, int size) {
    double[] values = new double[size];
    Arrays.setAll(values, i -> (float) random.nextGaussian());
    return values;
  }

  private static List<TorchEngine.WeightGroup> groups(
      List<Parameter> parameters, List<double[]> p) {
    List<long[]> shapes = parameters.stream().map(Parameter::shape).toList();
    List<HostBuffer> zeros = p.stream().map(v -> filled(new double[v.length])).toList();
    List<HostBuffer> more = p.stream().map(v -> filled(new double[v.length])).toList();
    List<HostBuffer> steps = p.stream().map(v -> filled(new double[1])).toList();
    return List.of(
        new TorchEngine.WeightGroup("p", p.stream().map(OracleTest::filled).toList(), shapes),
        new TorchEngine.WeightGroup("m", zeros, shapes),
        new TorchEngine.WeightGroup("v", more, shapes),
        new TorchEngine.WeightGroup("steps", steps, p.stream().map(v -> new long[0]).toList()));
  }

  private static float[][] predicted(
      TorchEngine.Module module, Batch batch, Pipeline pipeline, ModelShape shape) {
    try (TorchEngine.Call call = module.call("predict")) {
      addRows(call, batch, pipeline);
      FloatBuffer out = call.add("shape", filled(new double[SIZE]), SIZE).run().get(0);
      float[][] all = new float[SIZE][shape.tasks()];
      for (float[] row : all) {
        out.get(row);
      }
      return all;
    }
  }

  private static double[] hyper(ModelDefinition model, Batch batch) {
    double[] hyper = {1e-3, 0, 1e6, 0.1, 0, Double.POSITIVE_INFINITY, SIZE, 0, batch.tau()};
    return model.hyper(0).length == 0 ? Arrays.copyOf(hyper, hyper.length - 1) : hyper;
  }

  private static List<double[]> stepped(
      TorchEngine.Module module, Batch batch, Pipeline pipeline, ModelShape shape, double[] hyper) {
    HostBuffer same = new HostBuffer();
    same.longs(SIZE).put(batch.same());
    try (TorchEngine.Call call = module.call("step")) {
      addRows(call, batch, pipeline);
      List<double[]> all = new ArrayList<>();
      for (FloatBuffer out :
          call.add("y", filled(batch.labels()), SIZE, shape.tasks())
              .add("w", filled(batch.weights()), SIZE, shape.tasks())
              .add("reached", filled(batch.reached()), SIZE, shape.tasks())
              .add("same", same, SIZE)
              .add("noise", filled(batch.noise()), SIZE, batch.noise()[0].length)
              .add("hyper", filled(hyper), hyper.length)
              .run()) {
        double[] copy = new double[out.remaining()];
        Arrays.setAll(copy, i -> out.get(i));
        all.add(copy);
      }
      return all;
    }
  }

  private static void addRows(TorchEngine.Call call, Batch batch, Pipeline pipeline) {
    for (double[][] table : batch.rows()) {
      call.addToList("e", filled(table), ROWS, table[0].length);
    }
    var groups = pipeline.schema().groups();
    for (int t = 0; t < batch.bags().length; t++) {
      long[] indices = batch.indices(t);
      call.addToList("indices", filled(indices), indices.length);
    }
    for (int t = 0; t < batch.bags().length; t++) {
      long[] starts = batch.starts(t, groups.get(t % groups.size()).weighted());
      call.addToList("offsets", filled(starts), starts.length);
    }
    for (int t = 0; t < batch.bags().length; t++) {
      double[][] all =
          groups.get(t % groups.size()).weighted()
              ? Stream.of(batch.shares()[t]).flatMap(Stream::of).toArray(double[][]::new)
              : new double[0][];
      call.addToList("weights", filled(all), Stream.of(all).mapToInt(a -> a.length).sum());
    }
  }

  private static HostBuffer filled(long... values) {
    HostBuffer buffer = new HostBuffer();
    buffer.longs(values.length).put(values);
    return buffer;
  }

  private static HostBuffer filled(double[]... rows) {
    HostBuffer buffer = new HostBuffer();
    FloatBuffer floats = buffer.floats(Stream.of(rows).mapToInt(r -> r.length).sum());
    for (double[] row : rows) {
      for (double value : row) {
        floats.put((float) value);
      }
    }
    return buffer;
  }
}
