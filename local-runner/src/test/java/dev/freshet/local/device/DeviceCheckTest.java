package dev.freshet.local.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.models.Models;
import dev.freshet.core.models.torch.TorchDevice;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DeviceCheckTest {

  /** The processor, with memory of its own: all is copied, as to and from a GPU. */
  private static final TorchDevice APART = new TorchDevice("cpu", true, false);

  private static Stream<String> kinds() {
    return Models.kinds().keySet().stream();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void theProcessorDiffersFromItselfByNothing(String kind) {
    assertThat(new DeviceCheck(kind).difference(APART)).isZero();
  }

  @Test
  void speedIsMeasuredHoweverShortTheTime() {
    DeviceCheck check = new DeviceCheck("shared-bottom");
    assertThat(check.examplesPerSecond(APART, 64, Duration.ofNanos(1))).isPositive();
  }
}
