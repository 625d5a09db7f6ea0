package dev.freshet.benchmarks.step;

import dev.freshet.core.models.torch.HostBuffer;
import dev.freshet.core.models.torch.ScriptArchive;
import dev.freshet.core.models.torch.TorchEngine;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.ToIntFunction;

/**
 * Nothing but the products of a step in float32, in the libtorch of this process, into memory that
 * is there already: first those of the forward pass, then, last layer first, those of the backward
 * pass, with weights and activations as they lie in memory for the model. What a step takes longer
 * than this is no product of a layer.
 */
final class Floor implements AutoCloseable {

  private static final String SCRIPT =
      """
      class Floor(Module):
          training: bool
          x: List[Tensor]
          w: List[Tensor]
          y: List[Tensor]
          gx: List[Tensor]
          gw: List[Tensor]
          forwards: List[int]
          inputs: List[int]
          weights: List[int]

          def setup(self, x: List[Tensor], w: List[Tensor], y: List[Tensor], gx: List[Tensor], gw: List[Tensor]) -> Tensor:
              self.x = x
              self.w = w
              self.y = y
              self.gx = gx
              self.gw = gw
              return torch.zeros([1])

          def multiply(self, one: Tensor) -> List[Tensor]:
              n = len(self.x)
              for i in range(n):
                  for _ in range(self.forwards[i]):
                      torch.mm(self.x[i], self.w[i], out=self.y[i])
              for j in range(n):
                  i = n - 1 - j
                  for _ in range(self.weights[i]):
                      torch.mm(self.x[i].t(), self.y[i], out=self.gw[i])
                  for _ in range(self.inputs[i]):
                      torch.mm(self.y[i], self.w[i].t(), out=self.gx[i])
              return [one]
      """;

  private final TorchEngine.Module module;
  private final HostBuffer one = new HostBuffer();

  Floor(List<Product> products) {
    module =
        TorchEngine.load(
            ScriptArchive.ofSource(
                "Floor",
                SCRIPT,
                Map.of(
                    "x",
                    List.of(),
                    "w",
                    List.of(),
                    "y",
                    List.of(),
                    "gx",
                    List.of(),
                    "gw",
                    List.of(),
                    "forwards",
                    products.stream().map(Product::forward).toList(),
                    "inputs",
                    products.stream().map(Product::input).toList(),
                    "weights",
                    products.stream().map(Product::weight).toList())));
    module.setup(
        List.of(
            group("x", products, Product::rows, Product::in),
            group("w", products, Product::in, Product::out),
            group("y", products, Product::rows, Product::out),
            group("gx", products, Product::rows, Product::in),
            group("gw", products, Product::in, Product::out)));
    one.floats(1).put(1);
  }

  private static TorchEngine.WeightGroup group(
      String name,
      List<Product> products,
      ToIntFunction<Product> height,
      ToIntFunction<Product> width) {
    SplittableRandom random = new SplittableRandom(1);
    List<HostBuffer> values = new ArrayList<>();
    List<long[]> shapes = new ArrayList<>();
    for (Product product : products) {
      int rows = height.applyAsInt(product);
      int columns = width.applyAsInt(product);
      HostBuffer buffer = new HostBuffer();
      FloatBuffer floats = buffer.floats(rows * columns);
      while (floats.hasRemaining()) {
        floats.put((float) random.nextDouble(-0.1, 0.1));
      }
      values.add(buffer);
      shapes.add(new long[] {rows, columns});
    }
    return new TorchEngine.WeightGroup(name, values, shapes);
  }

  /** All products once. */
  void multiply() {
    try (TorchEngine.Call call = module.call("multiply")) {
      call.add("one", one, 1).run();
    }
  }

  @Override
  public void close() {
    module.close();
  }
}
