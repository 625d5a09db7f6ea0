package dev.freshet.benchmarks.step;

import ai.djl.pytorch.jni.JniUtils;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.models.Parameter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The matrix products that a model's step needs with its dense weights. Nobody writes them down:
 * libtorch's profiler tells every product of one real step, and those are kept of which a weight of
 * the model's own parameters, (in, out), is a factor, or its gradient the result:
 *
 * <pre>
 * forward   (rows, in) x (in, out)
 * input     (rows, out) x (out, in)      the gradient of what the layer was given
 * weight    (in, rows) x (rows, out)     the gradient of the weight
 * </pre>
 *
 * where rows is a multiple of the batch. The step is one on a batch whose size, a prime, is that of
 * no weight, so that rows cannot be taken for anything else; then rows are scaled.
 *
 * <p>Left out, and told in {@link #leftOut}: products of activations with each other (attention
 * over fields, AdaFTR's contrast of a batch with itself) and with what are not layers (TAFE's
 * seeds), and everything that is no product. A layer that a script would run twice counts twice:
 * {@link #flops} an example is printed for that.
 *
 * @param layers by sizes, in the order of the forward pass
 * @param leftOut floating-point operations of an example in the other products, with {@link #PROBE}
 *     examples in the batch
 */
record Products(List<Product> layers, double leftOut) {

  /** Size of the batch that is looked at. */
  static final int PROBE = 97;

  private static final Set<String> NAMES =
      Set.of("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm");

  private record Sizes(int rows, int in, int out) {}

  /**
   * The products of a step.
   *
   * @param step runs one on {@link #PROBE} examples
   */
  static Products of(Runnable step, List<Parameter> parameters) {
    try {
      Path trace = Files.createTempFile("products", ".json");
      try {
        JniUtils.startProfile(false, true, false);
        step.run();
        JniUtils.stopProfile(trace.toString());
        return read(new ObjectMapper().readTree(trace.toFile()), parameters);
      } finally {
        Files.delete(trace);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Products read(JsonNode trace, List<Parameter> parameters) {
    Set<List<Integer>> weights = new HashSet<>();
    for (Parameter parameter : parameters) {
      if (parameter.shape().length == 2) {
        weights.add(List.of((int) parameter.shape()[0], (int) parameter.shape()[1]));
      }
    }
    Map<Sizes, Product> layers = new LinkedHashMap<>();
    double others = 0;
    for (JsonNode call : trace) {
      if (NAMES.contains(call.path("name").asText())) {
        // The last two that have sizes are the factors.
        List<int[]> factors = shapes(call.path("shape"));
        int[] a = factors.get(factors.size() - 2);
        int[] b = factors.get(factors.size() - 1);
        if (!add(layers, weights, a, b)) {
          double product = 2.0 * b[b.length - 1];
          for (int size : a) {
            product *= size;
          }
          others += product;
        }
      }
    }
    return new Products(List.copyOf(layers.values()), others / PROBE);
  }

  private static boolean add(
      Map<Sizes, Product> layers, Set<List<Integer>> weights, int[] a, int[] b) {
    if (a.length != 2 || b.length != 2) {
      return false;
    }
    if (a[0] % PROBE == 0 && weights.contains(List.of(b[0], b[1]))) {
      return add(layers, new Sizes(a[0], b[0], b[1]), Product.Kind.FORWARD);
    }
    if (a[0] % PROBE == 0 && weights.contains(List.of(b[1], b[0]))) {
      return add(layers, new Sizes(a[0], b[1], b[0]), Product.Kind.INPUT);
    }
    if (b[0] % PROBE == 0 && weights.contains(List.of(a[0], b[1]))) {
      return add(layers, new Sizes(b[0], a[0], b[1]), Product.Kind.WEIGHT);
    }
    if (b[0] % PROBE == 0 && weights.contains(List.of(b[1], a[0]))) {
      return add(layers, new Sizes(b[0], b[1], a[0]), Product.Kind.WEIGHT);
    }
    return false;
  }

  private static boolean add(Map<Sizes, Product> layers, Sizes sizes, Product.Kind kind) {
    layers.merge(
        sizes,
        new Product(sizes.rows(), sizes.in(), sizes.out(), 0, 0, 0).and(kind),
        (before, one) -> before.and(kind));
    return true;
  }

  private static List<int[]> shapes(JsonNode all) {
    List<int[]> shapes = new ArrayList<>();
    for (JsonNode one : all) {
      int[] shape = new int[one.size()];
      for (int i = 0; i < shape.length; i++) {
        shape[i] = one.get(i).asInt();
      }
      if (shape.length > 1) {
        shapes.add(shape);
      }
    }
    return shapes;
  }

  /** Of a step on so many examples. */
  List<Product> of(int batch) {
    return layers.stream().map(product -> product.scaled(PROBE, batch)).toList();
  }

  /** Floating-point operations of one example. */
  double flops() {
    return layers.stream().mapToDouble(Product::flops).sum() / PROBE;
  }
}
