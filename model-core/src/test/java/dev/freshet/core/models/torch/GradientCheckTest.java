package dev.freshet.core.models.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The gradient of every layer written here against central differences, in double precision. What
 * is checked is {@code sum(sin(out + 1/2))}, so that no part of an output cancels another.
 */
class GradientCheckTest {

  private static final double STEP = 1e-6;

  /**
   * A layer to check.
   *
   * @param owner file of the class whose methods it uses, or null
   * @param body of a method that takes x, which is differentiated, and c, which is not, and gives a
   *     list of tensors
   */
  record Layer(
      String name,
      String owner,
      Map<String, Object> attributes,
      String body,
      List<int[]> x,
      List<Constant> c) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** A tensor that is not differentiated. */
  record Constant(int[] shape, double[] values, boolean whole) {
    static Constant of(int[] shape, double... values) {
      return new Constant(shape, values, false);
    }

    static Constant whole(int[] shape, double... values) {
      return new Constant(shape, values, true);
    }
  }

  private static int[] dims(int... dims) {
    return dims;
  }

  private static Layer shared(String name, String body, int[]... x) {
    return new Layer(name, null, Map.of(), body, List.of(x), List.of());
  }

  static Stream<Layer> layers() {
    List<Layer> all = new ArrayList<>();
    all.add(
        new Layer(
            "embed",
            null,
            Map.of(),
            "layers.embed(x, [c[0], c[1]], [c[2], c[3]], [c[4], c[5]], 2, 1, 1, x, [[1]][:0],"
                + " [[[1]]])",
            List.of(dims(3, 2), dims(2, 3)),
            List.of(
                Constant.whole(dims(5), 0, 1, 2, 0, 2),
                Constant.whole(dims(2), 1, 0),
                Constant.whole(dims(4), 0, 1, 3, 3),
                Constant.whole(dims(2), 0, 1),
                Constant.of(dims(0)),
                Constant.of(dims(2), 0.5, 2))));
    all.add(
        new Layer(
            "embed with attention",
            null,
            Map.of(),
            "layers.embed(x[:1], [c[0]], [c[1]], [c[2]], 2, 1, 1, x, [[0, 1, 0]], [[[1, 3]]])",
            List.of(dims(4, 3), dims(6, 5), dims(5), dims(5, 1), dims(1)),
            List.of(
                Constant.whole(dims(4), 0, 1, 2, 3),
                Constant.whole(dims(4), 0, 1, 3, 4),
                Constant.of(dims(4), 1, 0.3, 0.7, 1))));
    all.add(shared("linear", "[layers.linear(x[0], x, 1)]", dims(3, 2), dims(2, 4), dims(4)));
    all.add(
        shared(
            "tower",
            "layers.tower(x[0], x, [1, 3])",
            dims(3, 2),
            dims(2, 4),
            dims(4),
            dims(4, 1),
            dims(1)));
    all.add(
        shared(
            "mlp",
            "[layers.mlp(x[0], x, [1, 3])]",
            dims(3, 2),
            dims(2, 4),
            dims(4),
            dims(4, 3),
            dims(3)));
    all.add(
        shared(
            "mix",
            "[layers.mix(x[0], [x[1], x[2]], x, 3)]",
            dims(3, 2),
            dims(3, 4),
            dims(3, 4),
            dims(2, 2),
            dims(2)));
    all.add(
        shared(
            "fuse",
            "[layers.fuse([x[0], x[1]], x, [2, 4, 6])]",
            dims(3, 2),
            dims(3, 2),
            dims(2, 4),
            dims(4),
            dims(2, 4),
            dims(4),
            dims(2, 4),
            dims(4)));
    all.add(shared("attention", "[layers.attention(x[0], x[1])]", dims(2, 3), dims(2, 4, 3)));
    Constant amounts = Constant.of(dims(4), 0, 0.4, 2.5, -1);
    String[] losses = {"squared", "huber", "ziln"};
    for (int kind = 0; kind < 3; kind++) {
      all.add(
          new Layer(
              "amount_loss " + losses[kind],
              null,
              Map.of(),
              "[layers.amount_loss(x[0], c[0], '" + losses[kind] + "', 0.7)]",
              List.of(kind == 2 ? dims(4, 3) : dims(4)),
              List.of(amounts)));
    }
    all.add(shared("amount ziln", "[layers.amount(x[0], 'ziln')]", dims(4, 3)));
    Constant labels = Constant.of(dims(4, 3), 1, 1, 0.5, 1, 0, 0, 0, 0, 0, 1, 1, 2);
    Constant weights = Constant.of(dims(4, 3), 1, 0.5, 1, 2, 1, 0, 1, 1, 1, 0, 3, 1);
    Constant reached = Constant.of(dims(4, 3), 1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 1, 1);
    for (String of :
        List.of(
            "losses(x, 2, c[0], c[1], 'squared', 1.)",
            "losses(x, 2, c[0], layers.reaching(2, c[1], c[2]), 'squared', 1.)",
            "log_losses(layers.chain(x, 2, False), 2, c[0], c[1], 'squared', 1.)")) {
      all.add(
          new Layer(
              of,
              null,
              Map.of(),
              "layers." + of,
              List.of(dims(4), dims(4), dims(4)),
              List.of(labels, weights, reached)));
    }
    all.add(
        shared(
            "log_predictions",
            "[layers.log_predictions(layers.chain(x, 2, False), 2, 'squared')]",
            dims(4),
            dims(4),
            dims(4)));
    all.add(
        new Layer(
            "HtlNet.label",
            "htlnet HtlNet",
            htlnet(),
            "[self.label(x[0], x[1], c[0], float(c[1]))]",
            List.of(dims(3), dims(2, 4)),
            List.of(
                Constant.of(dims(3, 2), 0.3, -0.2, 1.5, 0.1, -0.5, 0.7),
                Constant.of(dims(1), 0.8))));
    all.add(
        new Layer(
            "Tafe.represent",
            "tafe Tafe",
            tafe(),
            "[self.represent(x[0], x[1:])]",
            List.of(
                dims(2, 3, 4), // x
                dims(2, 4), // seeds
                dims(1), // mix
                dims(4, 5),
                dims(5),
                dims(5, 4),
                dims(4), // feed-forward
                dims(3, 2),
                dims(2),
                dims(2, 3),
                dims(3)), // squeeze and excitation
            List.of()));
    for (boolean softmax : new boolean[] {false, true}) {
      Map<String, Object> attributes = tafe();
      attributes.put("softmax", softmax);
      all.add(
          new Layer(
              "Tafe.selection, softmax " + softmax,
              "tafe Tafe",
              attributes,
              "[self.selection(x[0], x)]",
              List.of(dims(2, 5), dims(5, 3), dims(3)),
              List.of()));
    }
    all.add(
        new Layer(
            "AdaFtr.unit",
            "adaftr AdaFtr",
            adaftr(),
            "[self.unit(x[0])]",
            List.of(dims(3, 2)),
            List.of()));
    all.add(
        new Layer(
            "AdaFtr.temperature and contrast",
            "adaftr AdaFtr",
            adaftr(),
            "[self.contrast(x[0], x[1], self.temperature(x[2]), self.allowed(c[0], c[1], c[2]))]",
            List.of(dims(4, 3), dims(4, 3), dims(4)),
            List.of(
                Constant.whole(dims(4), 1, 2, 1, 3),
                Constant.of(dims(4), 1, 1, 1, 0),
                Constant.of(dims(4, 1), 0, 0, 0, 0))));
    return all.stream();
  }

  private static Map<String, Object> htlnet() {
    Map<String, Object> all =
        attributes("stop_before", "stop_after", "label_embedding", "fusion", "adjust");
    all.put("norm_after", false);
    for (String number : List.of("alpha", "gamma", "clip", "tau")) {
      all.put(number, 1.0);
    }
    for (String place :
        List.of("tower_at", "fused_representations_at", "fused_labels_at", "label_table_at")) {
      all.put(place, List.of());
    }
    all.put("representation", 0);
    return all;
  }

  private static Map<String, Object> tafe() {
    Map<String, Object> all = attributes("path", "stop", "softmax", "reconstruct", "select");
    all.putAll(Map.of("fields", 3, "dim", 4, "selector_at", 1));
    all.putAll(Map.of("seeds_at", List.of(0), "mix_at", List.of(1)));
    all.putAll(Map.of("feedforward_at", List.of(2, 4), "excitation_at", List.of(6, 8)));
    for (String place : List.of("indicator_at", "tower_at", "projection_at")) {
      all.put(place, List.of());
    }
    all.putAll(Map.of("sizes", List.of(4), "counts", List.of(3)));
    return all;
  }

  private static Map<String, Object> adaftr() {
    Map<String, Object> all = attributes("project", "adaptive", "stop");
    all.put("separate", false);
    for (String place :
        List.of("bottom_at", "tower_at", "first_at", "second_at", "relatedness_at")) {
      all.put(place, List.of());
    }
    all.putAll(Map.of("space", "entire", "negatives", 0));
    for (String number : List.of("tau", "tau_max", "weight", "supervision", "pull", "prior")) {
      all.put(number, 1.0);
    }
    all.put("tau_min", 0.3);
    return all;
  }

  private static Map<String, Object> attributes(String... on) {
    Map<String, Object> all = new HashMap<>();
    for (String list : List.of("p", "m", "v", "steps")) {
      all.put(list, List.of());
    }
    all.putAll(
        Map.of("tasks", 3, "binary", 2, "amount", "squared", "delta", 1.0, "first", 0, "sets", 1));
    all.putAll(Map.of("attention", List.of(), "attention_at", List.of(), "hyper_names", List.of()));
    all.put("layers_at", List.of());
    for (String switched : on) {
      all.put(switched, true);
    }
    return all;
  }

  @ParameterizedTest
  @MethodSource("layers")
  void agreesWithCentralDifferences(Layer layer) {
    Random random = new Random(4);
    List<double[]> x = new ArrayList<>();
    for (int[] shape : layer.x()) {
      x.add(random.doubles(size(shape), -1.5, 1.5).toArray());
    }
    try (TorchEngine.Module module = module(layer)) {
      List<double[]> gradients = call(module, "grad", layer, x);
      double seen = 0;
      for (int i = 0; i < x.size(); i++) {
        for (int j = 0; j < x.get(i).length; j++) {
          double value = x.get(i)[j];
          x.get(i)[j] = value + STEP;
          double above = call(module, "value", layer, x).get(0)[0];
          x.get(i)[j] = value - STEP;
          double below = call(module, "value", layer, x).get(0)[0];
          x.get(i)[j] = value;
          double expected = (above - below) / (2 * STEP);
          assertThat(gradients.get(i)[j])
              .as("%s: d / d x%s[%s]", layer, i, j)
              .isCloseTo(expected, within(1e-7 * Math.max(1, Math.abs(expected))));
          seen += Math.abs(expected);
        }
      }
      assertThat(seen).isGreaterThan(0.1);
    }
  }

  private static TorchEngine.Module module(Layer layer) {
    String name = layer.owner() == null ? "Check" : layer.owner().split(" ")[1];
    String source =
        layer.owner() == null
            ? """
            class Check(Module):
                training: bool
            """
            : ScriptArchive.model(layer.owner().split(" ")[0]).source();
    source +=
        """

            def total(self, x: List[Tensor], c: List[Tensor]) -> Tensor:
                out: List[Tensor] = []
                for o in BODY:
                    out.append(torch.sin(o + 0.5).sum())
                return torch.stack(out).sum()

            def value(self, x: List[Tensor], c: List[Tensor]) -> List[Tensor]:
                return [self.total(x, c)]

            def grad(self, x: List[Tensor], c: List[Tensor]) -> List[Tensor]:
                torch.set_grad_enabled(True)
                leaves = layers.leaves(x)
                out = layers.gradients(self.total(leaves, c), leaves, False)
                torch.set_grad_enabled(False)
                return out
        """
            .replace("BODY", layer.body());
    return TorchEngine.load(ScriptArchive.ofSource(name, source, layer.attributes()));
  }

  private static List<double[]> call(
      TorchEngine.Module module, String method, Layer layer, List<double[]> x) {
    try (TorchEngine.Call call = module.call(method)) {
      for (int i = 0; i < x.size(); i++) {
        HostBuffer buffer = new HostBuffer();
        buffer.doubles(x.get(i).length).put(x.get(i));
        call.addToList("x", buffer, longs(layer.x().get(i)));
      }
      for (Constant constant : layer.c()) {
        HostBuffer buffer = new HostBuffer();
        if (constant.whole()) {
          long[] values = Arrays.stream(constant.values()).mapToLong(v -> (long) v).toArray();
          buffer.longs(values.length).put(values);
        } else {
          buffer.doubles(constant.values().length).put(constant.values());
        }
        call.addToList("c", buffer, longs(constant.shape()));
      }
      if (layer.c().isEmpty()) {
        HostBuffer none = new HostBuffer();
        none.doubles(1).put(0);
        call.addToList("c", none, 1);
      }
      List<double[]> out = new ArrayList<>();
      for (ByteBuffer bytes : call.runBytes()) {
        double[] values = new double[bytes.remaining() / Double.BYTES];
        bytes.asDoubleBuffer().get(values);
        out.add(values);
      }
      return out;
    }
  }

  private static long[] longs(int[] shape) {
    return Arrays.stream(shape).asLongStream().toArray();
  }

  private static int size(int[] shape) {
    return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
  }
}
