package dev.freshet.core.models.torch;

import ai.djl.engine.Engine;
import ai.djl.engine.StandardCapabilities;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.pytorch.jni.LibUtils;
import java.io.File;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The libtorch of this process: which one it is, and on what it computes rightly. */
public final class TorchLibrary {

  private static final Logger LOGGER = LoggerFactory.getLogger(TorchLibrary.class);

  /** More than a machine has. */
  private static final int MOST_GPUS = 64;

  private static final String SELF_TEST =
      """
      class SelfTest(Module):
          training: bool
          def square(self, x: Tensor) -> List[Tensor]:
              torch.set_grad_enabled(True)
              leaf = x.to(torch.device("DEVICE"), copy=True).detach().requires_grad_(True)
              y = (leaf * leaf).sum()
              grads = torch.autograd.grad([y], [leaf])
              torch.set_grad_enabled(False)
              host = torch.device("cpu")
              out = [y.detach().to(host)]
              for g in grads:
                  if g is not None:
                      out.append(g.to(host))
              return out
      """;

  private TorchLibrary() {}

  /**
   * Proves that this process can run a script and take a gradient, and tells the engine's version.
   *
   * @throws IllegalStateException if the native library is missing, broken, or computes wrongly
   */
  public static String selfTest() {
    try {
      return compute(TorchDevice.HOST);
    } catch (RuntimeException | LinkageError e) {
      throw new IllegalStateException(
          "PyTorch's native library does not work here: DJL, its JNI and its native jar belong on"
              + " the class path of Flink itself (lib/), in one version, once per process",
          e);
    }
  }

  /**
   * Proves that a device can be sent to, run a script with a gradient, and be read from.
   *
   * @throws IllegalStateException if it cannot
   */
  public static void selfTest(TorchDevice device) {
    try {
      compute(device);
    } catch (RuntimeException | LinkageError e) {
      throw new IllegalStateException("PyTorch cannot compute on " + device + ": " + reason(e), e);
    }
  }

  /** The reason of a failure in a line: PyTorch tells the stack of the script first. */
  public static String reason(Throwable failure) {
    String text = String.valueOf(failure.getMessage()).strip();
    int error = text.lastIndexOf("RuntimeError: ");
    return text.substring(Math.max(0, error)).lines().findFirst().orElse(failure.toString());
  }

  /**
   * How many GPUs libtorch can compute on in this process, from the first to one that fails: none
   * if it was built without CUDA. DJL's own count asks the CUDA runtime, which it finds where that
   * is installed, not where libtorch brings it along.
   */
  public static int gpus() {
    if (!Engine.getEngine(TorchEngine.NAME).hasCapability(StandardCapabilities.CUDA)) {
      return 0;
    }
    int count = 0;
    while (count < MOST_GPUS) {
      try {
        selfTest(TorchDevice.gpu(count));
      } catch (IllegalStateException e) {
        LOGGER.info("No further GPU: {}", e.getMessage());
        break;
      }
      count++;
    }
    return count;
  }

  /**
   * Which libtorch this process has.
   *
   * @param folder that it was loaded from
   * @param features that it was built with, CUDA among them if it can use GPUs
   */
  public record Build(String version, String folder, List<String> features) {}

  public static Build build() {
    return new Build(
        Engine.getEngine(TorchEngine.NAME).getVersion(),
        LibUtils.getLibtorchPath(),
        JniUtils.getFeatures().stream().sorted().toList());
  }

  /** Why {@link #gpus} is 0, in words for the user. */
  public static String whyNoGpu() {
    Build build = build();
    if (!build.features().contains("CUDA")) {
      return whyNoCuda(build, System.getenv("PYTORCH_LIBRARY_PATH"));
    }
    try {
      selfTest(TorchDevice.gpu(0));
      return "there was none a moment ago";
    } catch (IllegalStateException e) {
      return e.getMessage() + "; is there a driver, and may this process use it?";
    }
  }

  /**
   * DJL passes a folder over in silence in which it finds nothing.
   *
   * @param asked what the environment says; null if nothing
   */
  static String whyNoCuda(Build build, String asked) {
    if (asked == null || asked.isBlank() || isAmong(asked, build.folder())) {
      return "this PyTorch is built without CUDA: docs/gpu.md says which one to take";
    }
    return "PYTORCH_LIBRARY_PATH is "
        + asked
        + ", but no "
        + System.mapLibraryName("torch")
        + " was found there, so PyTorch is the one without CUDA that Freshet brings";
  }

  private static boolean isAmong(String folders, String folder) {
    return Arrays.stream(folders.split(File.pathSeparator))
        .anyMatch(one -> absolute(one).equals(absolute(folder)));
  }

  private static Path absolute(String folder) {
    return Path.of(folder).toAbsolutePath().normalize();
  }

  private static String compute(TorchDevice device) {
    String source = SELF_TEST.replace("DEVICE", device.name());
    try (TorchEngine.Module module =
            TorchEngine.load(ScriptArchive.ofSource("SelfTest", source, Map.of()));
        TorchEngine.Call call = module.call("square")) {
      HostBuffer x = new HostBuffer();
      x.floats(2).put(3f).put(-1f);
      List<FloatBuffer> out = call.add("x", x, 2).run();
      if (out.get(0).get(0) != 10f || out.get(1).get(0) != 6f || out.get(1).get(1) != -2f) {
        throw new IllegalStateException("PyTorch computes wrongly: d(x*x) at 3, -1 is not 6, -2");
      }
      return Engine.getEngine(TorchEngine.NAME).getVersion();
    }
  }
}
