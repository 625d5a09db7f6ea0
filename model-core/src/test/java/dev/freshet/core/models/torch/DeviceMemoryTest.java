package dev.freshet.core.models.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.ModelShape;
import dev.freshet.core.models.Parameter;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import java.nio.ReadOnlyBufferException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Weights by value, in the host's memory, on a device, and mirrored. */
class DeviceMemoryTest {

  private final Pipeline pipeline = TestingPipelines.shop();
  private final ModelDefinition model = pipeline.model("plain");
  private final ModelShape shape = pipeline.context(model).shape();
  private final List<Parameter> parameters = model.dense(shape);

  private record Where(String name, TorchDevice device, List<Integer> mirrored) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Stream<Where> places() {
    return Stream.of(
        new Where("host", TorchDevice.HOST, List.of()),
        new Where("device", TestingDevices.APART, List.of()),
        new Where("mirrored", TestingDevices.APART, List.of(1)));
  }

  private TorchEngine.WeightGroup group(String name, float value, boolean scalars) {
    List<HostBuffer> values = new ArrayList<>();
    List<long[]> shapes = new ArrayList<>();
    for (Parameter parameter : parameters) {
      HostBuffer buffer = new HostBuffer();
      var floats = buffer.floats(scalars ? 1 : parameter.size());
      while (floats.hasRemaining()) {
        floats.put(value + floats.position());
      }
      values.add(buffer);
      shapes.add(scalars ? new long[0] : parameter.shape());
    }
    return new TorchEngine.WeightGroup(name, values, shapes);
  }

  private List<List<TensorValues>> setup(TorchEngine.Module module) {
    return module.setup(
        List.of(
            group("p", 1, false),
            group("m", 2, false),
            group("v", 3, false),
            group("steps", 4, true)));
  }

  @ParameterizedTest
  @MethodSource("places")
  void whatIsWrittenIsRead(Where where) {
    try (TorchEngine.Module module =
        TorchEngine.load(model.script(shape), where.device, where.mirrored)) {
      List<List<TensorValues>> values = setup(module);
      for (int group = 0; group < values.size(); group++) {
        TensorValues of = values.get(group).get(1);
        assertThat(of.read().get(0)).as("at the start").isEqualTo(group + 1f);
        of.write(of.size() - 1, 99f);
        assertThat(of.read().get(of.size() - 1)).isEqualTo(99f);
        assertThatThrownBy(() -> of.write(of.size(), 1f))
            .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> of.read().put(0, 1f)).isInstanceOf(ReadOnlyBufferException.class);
        float[] copy = of.copy();
        copy[0] = 55;
        assertThat(of.read().get(0)).as("a copy is the reader's own").isNotEqualTo(55f);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("places")
  void whatIsKeptChangesPlaces(Where where) {
    try (TorchEngine.Module module =
        TorchEngine.load(model.script(shape), where.device, where.mirrored)) {
      TensorValues values = setup(module).get(0).get(1);
      values.write(0, 7f);
      module.keep();
      values.write(0, 8f);
      module.swapKept();
      assertThat(values.read().get(0)).isEqualTo(7f);
      module.swapKept();
      assertThat(values.read().get(0)).isEqualTo(8f);
    }
  }
}
