package dev.freshet.training;

import dev.freshet.core.models.torch.TorchDevice;
import dev.freshet.core.pipeline.TrainingSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whether this machine's processor multiplies bfloat16 faster than float32. */
final class Bfloat16 {

  private static final Logger LOGGER = LoggerFactory.getLogger(Bfloat16.class);
  private static final Path TOLD = Path.of("/proc/cpuinfo");

  /** What Linux calls it: AVX512-BF16 and AMX of x86, then Arm's. */
  private static final Set<String> FLAGS = Set.of("avx512_bf16", "amx_bf16", "bf16");

  private Bfloat16() {}

  /** Tells whoever asked for it where the system says that it has no instructions for them. */
  static void warnIfSlow(String model, TrainingSettings.Products asked, TorchDevice device) {
    if (asked != TrainingSettings.Products.BFLOAT16 || device.apart()) {
      return;
    }
    try (Stream<String> lines = Files.lines(TOLD)) {
      if (isSlow(lines.toList())) {
        LOGGER.warn(
            "Model {}: this machine's processor has no instructions for bfloat16, so that"
                + " training.products: bfloat16 makes steps slower than float32",
            model);
      }
    } catch (IOException e) {
      LOGGER.debug("There is no {}", TOLD, e); // no Linux
    }
  }

  /**
   * @param told the lines of {@code /proc/cpuinfo}
   */
  static boolean isSlow(List<String> told) {
    List<String> flags =
        told.stream()
            .filter(line -> line.startsWith("flags") || line.startsWith("Features"))
            .flatMap(line -> Arrays.stream(line.substring(line.indexOf(':') + 1).split(" ")))
            .toList();
    return !flags.isEmpty() && flags.stream().noneMatch(FLAGS::contains);
  }
}
