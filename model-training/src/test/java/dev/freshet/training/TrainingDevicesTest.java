package dev.freshet.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.models.torch.TorchDevice;
import dev.freshet.core.models.torch.TorchLibrary;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.pipeline.TrainingSettings;
import dev.freshet.core.pipeline.TrainingSettings.Device;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainingDevicesTest {

  @ParameterizedTest(name = "{0}, offered {1}, {2} seen, model {3}: {4}")
  @CsvSource({
    "CPU, '0',   1, 0, cpu",
    "CPU, '',    8, 0, cpu",
    "AUTO, '',   0, 0, cpu",
    "AUTO, '',   2, 0, cuda:0",
    "AUTO, '',   2, 3, cuda:1",
    "AUTO, '3',  4, 1, cuda:3",
    "AUTO, '1;3', 4, 0, cuda:1",
    "AUTO, '1;3', 4, 1, cuda:3",
    // Of an image without CUDA, or where fewer are seen than a script says.
    "AUTO, '0',  0, 0, cpu",
    "AUTO, '5',  2, 0, cpu",
    "AUTO, 'MIG-1', 2, 0, cpu",
    "GPU, '',    1, 0, cuda:0",
    "GPU, '1',   2, 0, cuda:1",
    "GPU, '5;1', 2, 0, cuda:1",
  })
  void choosesByWhatIsThere(Device wanted, String offered, int seen, int place, String expected) {
    List<String> offers = Arrays.stream(offered.split(";")).filter(o -> !o.isEmpty()).toList();
    TorchDevice device = TrainingDevices.choose(wanted, offers, seen, place);
    assertThat(device.name()).isEqualTo(expected);
    assertThat(device.apart()).isEqualTo(expected.startsWith("cuda"));
  }

  @Test
  void aGpuThatIsNotThereIsRefused() {
    assertThatThrownBy(() -> TrainingDevices.choose(Device.GPU, List.of(), 0, 0))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "training.device is gpu, but PyTorch sees no GPU here, and no external resource 'gpu'"
                + " is offered; training.device: auto takes the CPU where there is none");
    assertThatThrownBy(() -> TrainingDevices.choose(Device.GPU, List.of("0", "1"), 0, 0))
        .hasMessageContaining("offers 0, 1, of which PyTorch sees none")
        .hasMessageContaining("libtorch for CUDA");
  }

  @Test
  void theSettingIsReadAndKept() {
    assertThat(TestingPipelines.shop().training().device()).isEqualTo(Device.AUTO);
    TrainingSettings gpu =
        TestingPipelines.shop("training: {", "training: {device: gpu, ").training();
    assertThat(gpu.device()).isEqualTo(Device.GPU);
    assertThat(gpu.withSeed(9).device()).isEqualTo(Device.GPU);
  }

  /** libtorch of these tests has no CUDA: it says so instead of failing. */
  @Test
  void withoutCudaThereIsNoGpu() {
    assertThat(TorchLibrary.gpus()).isZero();
    assertThatThrownBy(() -> TorchLibrary.selfTest(TorchDevice.gpu(0)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("cuda:0");
  }
}
