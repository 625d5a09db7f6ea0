package dev.freshet.core.models.torch;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.NativeLibrary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Devices whose memory is apart, for machines without a GPU.
 *
 * <ul>
 *   <li>{@code cpu}: computes on the processor, and copies all that it is handed and that is asked
 *       of it, as a GPU must: what is not copied is lost, or stale. Its results are the host's to
 *       the bit.
 *   <li>{@code lazy:0}: a device of libtorch that is really another. Its tensors may not be mixed
 *       with the host's, as a GPU's may not, and it refuses where they are.
 * </ul>
 */
public final class TestingDevices {

  /** The processor, with memory of its own. */
  public static final TorchDevice APART = new TorchDevice("cpu", true, false);

  private static boolean begun;

  private TestingDevices() {}

  /** The device of a name; skips the test where it cannot be had. */
  public static TorchDevice of(String name) {
    if (name.startsWith("lazy")) {
      begin();
    }
    return new TorchDevice(name, true, false);
  }

  /** libtorch begins it when it is told to, which only Python does by itself. */
  private static synchronized void begin() {
    if (begun) {
      return;
    }
    TorchLibrary.selfTest();
    try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
      String library =
          maps.filter(line -> line.endsWith("/libtorch_cpu.so"))
              .map(line -> line.substring(line.indexOf('/')))
              .findFirst()
              .orElseThrow();
      NativeLibrary.getInstance(library)
          .getFunction("_ZN5torch4lazy22InitTorchScriptBackendEv")
          .invokeVoid(new Object[0]);
      begun = true;
    } catch (IOException e) {
      assumeTrue(false, "no /proc/self/maps to find libtorch by: " + e);
    }
  }
}
