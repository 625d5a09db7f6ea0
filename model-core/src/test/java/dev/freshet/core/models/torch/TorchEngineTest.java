package dev.freshet.core.models.torch;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TorchEngineTest {

  private static final String SCRIPT =
      """
      class Probe(Module):
          training: bool
          p: List[Tensor]
          times: int
          rate: float
          flag: bool
          def setup(self, p: List[Tensor]) -> Tensor:
              self.p = p
              return torch.zeros([1])
          def apply(self, x: Tensor) -> List[Tensor]:
              y = layers.linear(x, self.p, 0)
              for i in range(self.times):
                  y = y + self.rate
              if self.flag:
                  y = -y
              self.p[1].add_(1.)
              return [y, torch.relu(y)]
      """;

  @Test
  void selfTestTellsTheVersion() {
    assertThat(TorchLibrary.selfTest()).startsWith("2.7.1");
  }

  @Test
  void attributesListsAndSharedLayersReachTheScript() {
    ScriptArchive archive =
        ScriptArchive.ofSource(
            "Probe", SCRIPT, Map.of("p", List.of(), "times", 3, "rate", 0.5, "flag", true));
    HostBuffer w = filled(1, 2, 3, 4);
    HostBuffer b = filled(0, 0);
    HostBuffer x = filled(1, 1);
    try (TorchEngine.Module module = TorchEngine.load(archive)) {
      List<List<TensorValues>> live =
          module.setup(
              List.of(
                  new TorchEngine.WeightGroup(
                      "p", List.of(w, b), List.of(new long[] {2, 2}, new long[] {2}))));
      try (TorchEngine.Call call = module.call("apply")) {
        List<FloatBuffer> out = call.add("x", x, 1, 2).run();
        assertThat(out.get(0).get(0)).isEqualTo(-5.5f);
        assertThat(out.get(0).get(1)).isEqualTo(-7.5f);
        assertThat(out.get(1).get(1)).isEqualTo(0f);
      }
      assertThat(live.get(0).get(1).read().get(0)).isEqualTo(1f);
      live.get(0).get(1).write(0, 10f);
      try (TorchEngine.Call call = module.call("apply")) {
        assertThat(call.add("x", x, 1, 2).run().get(0).get(0)).isEqualTo(-15.5f);
      }
    }
  }

  private static HostBuffer filled(float... values) {
    HostBuffer buffer = new HostBuffer();
    buffer.floats(values.length).put(values);
    return buffer;
  }

  /** DJL takes its own libtorch then, without a word. */
  @Test
  void aFolderWithoutLibtorchIsToldWhereAGpuIsMissed() {
    TorchLibrary.Build own = new TorchLibrary.Build("2.7.1", "/cache/cpu", List.of("MKL"));
    assertThat(TorchLibrary.whyNoCuda(own, "/opt/libtorhc/lib"))
        .startsWith(
            "PYTORCH_LIBRARY_PATH is /opt/libtorhc/lib, but no libtorch.so was found there");
    assertThat(TorchLibrary.whyNoCuda(own, null)).contains("docs/gpu.md");
    assertThat(TorchLibrary.whyNoCuda(own, "/opt:/cache/cpu/")).contains("docs/gpu.md");
  }
}
