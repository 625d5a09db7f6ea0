package dev.freshet.core.models.torch;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.StandardCapabilities;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.pytorch.jni.LibUtils;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The only class that touches DJL: loads TorchScript modules and calls them with tensors that live
 * in reused direct buffers. Everything else in Freshet sees Java types.
 *
 * <p>Native memory has two owners. Weights belong to the {@link Module} and live as long as it.
 * What a call makes belongs to that {@link Call} and is gone when it closes; a result read after
 * that is a read of freed memory, so copy what must last.
 *
 * <p>A module and its calls belong to one thread at a time: libtorch keeps the gradient mode per
 * thread, which is why every call sets it.
 */
public final class TorchEngine {

  private static final Logger LOGGER = LoggerFactory.getLogger(TorchEngine.class);
  private static final String NAME = "PyTorch";

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

  private TorchEngine() {}

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

  /** What is wrong, in a line: PyTorch tells the stack of the script first. */
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
    if (!Engine.getEngine(NAME).hasCapability(StandardCapabilities.CUDA)) {
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
        Engine.getEngine(NAME).getVersion(),
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
    try (Module module = load(ScriptArchive.ofSource("SelfTest", source, Map.of()));
        Call call = module.call("square")) {
      HostBuffer x = new HostBuffer();
      x.floats(2).put(3f).put(-1f);
      List<FloatBuffer> out = call.add("x", x, 2).run();
      if (out.get(0).get(0) != 10f || out.get(1).get(0) != 6f || out.get(1).get(1) != -2f) {
        throw new IllegalStateException("PyTorch computes wrongly: d(x*x) at 3, -1 is not 6, -2");
      }
      return Engine.getEngine(NAME).getVersion();
    }
  }

  /**
   * Compiles the archive on the CPU.
   *
   * @throws RuntimeException with line and caret, if the script is wrong
   */
  public static Module load(ScriptArchive archive) {
    return load(archive.toBytes());
  }

  /**
   * Compiles a model whose weights, and what the optimiser keeps of them, will be on the device.
   *
   * @param mirrored places, in the first group of {@link Module#setup}, of small tensors that the
   *     host reads and writes at every step; they travel with a call's arguments and results
   */
  public static Module load(ScriptArchive archive, TorchDevice device, List<Integer> mirrored) {
    return device.apart()
        ? load(archive.on(device, mirrored).toBytes(), new DeviceMemory(archive, mirrored))
        : load(archive);
  }

  /** Loads a module as {@link Module#save} wrote it, or any other TorchScript archive. */
  public static Module load(byte[] archive) {
    return load(archive, null);
  }

  private static Module load(byte[] archive, DeviceMemory device) {
    PtNDManager root = (PtNDManager) NDManager.newBaseManager(Device.cpu(), NAME);
    try {
      prepareThread();
      PtSymbolBlock block =
          JniUtils.loadModule(root, new ByteArrayInputStream(archive), false, false);
      return new Module(root, block, device);
    } catch (IOException e) {
      root.close();
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      root.close();
      throw e;
    }
  }

  private static void prepareThread() {
    JniUtils.setGradMode(false);
    JniUtils.setGraphExecutorOptimize(false);
  }

  private static DataType type(HostBuffer data) {
    return switch (data.kind()) {
      case FLOATS -> DataType.FLOAT32;
      case DOUBLES -> DataType.FLOAT64;
      case LONGS -> DataType.INT64;
    };
  }

  private static void check(String name, HostBuffer data, long... shape) {
    Shape of = new Shape(shape);
    DataType type = type(data);
    int bytes = data.inUse().remaining();
    if (bytes != of.size() * type.getNumOfBytes()) {
      throw new IllegalArgumentException(
          name + ": buffer holds " + bytes + " bytes, which is not " + type + of);
    }
  }

  private static NDArray tensor(NDManager owner, String name, HostBuffer data, long... shape) {
    check(name, data, shape);
    NDArray array = owner.create(data.inUse(), new Shape(shape), type(data));
    array.setName(name);
    return array;
  }

  private static ByteBuffer bytes(NDArray array) {
    return array.toByteBuffer(true).order(ByteOrder.nativeOrder());
  }

  /** A loaded script with its weights. */
  public static final class Module implements AutoCloseable {
    private final PtNDManager root;
    private final PtSymbolBlock block;

    /** Null where weights are in the host's memory. */
    private final DeviceMemory device;

    private boolean capped;

    /** What {@link #setup} returned of the first group. */
    private List<TensorValues> weights = List.of();

    private float[][] kept = {};

    private Module(PtNDManager root, PtSymbolBlock block, DeviceMemory device) {
      this.root = root;
      this.block = block;
      this.device = device;
    }

    /**
     * Hands weights over to the script's {@code setup} method, one list per group, and returns what
     * the script updates in place and sees changes of. Call once; afterwards this module refuses to
     * own anything more, so that a leak is an exception.
     */
    public List<List<TensorValues>> setup(List<WeightGroup> groups) {
      if (capped) {
        throw new IllegalStateException("setup was called before");
      }
      prepareThread();
      NDList in = new NDList();
      for (WeightGroup group : groups) {
        for (int i = 0; i < group.values().size(); i++) {
          // duplicate(): libtorch aligns its own memory and the module must outlive our buffers.
          try (NDArray shared =
              tensor(root, group.name(), group.values().get(i), group.shapes().get(i))) {
            NDArray owned = shared.duplicate();
            owned.setName(group.name() + "[]");
            in.add(owned);
          }
        }
      }
      List<NDArray> arrays = new ArrayList<>(in);
      try (NDArray method = root.create(0f)) {
        method.setName("module_method:" + (device == null ? "setup" : "device_setup"));
        in.add(method);
        IValueUtils.forward(block, in, true).close();
      }
      if (device != null) {
        arrays.forEach(NDArray::close);
      }
      root.cap();
      capped = true;
      if (device != null) {
        return device.placed(this, groups);
      }
      List<List<TensorValues>> views = new ArrayList<>();
      int next = 0;
      for (WeightGroup group : groups) {
        List<TensorValues> list = new ArrayList<>();
        for (int i = 0; i < group.values().size(); i++) {
          list.add(new TensorValues.Shared(bytes(arrays.get(next++)).asFloatBuffer()));
        }
        views.add(list);
      }
      weights = views.get(0);
      return views;
    }

    /** Remembers the first group of {@link #setup} as it is now, for {@link #swapKept}. */
    public void keep() {
      if (device != null) {
        device.keep();
        return;
      }
      kept = weights.stream().map(TensorValues::copy).toArray(float[][]::new);
    }

    /** Exchanges the first group of {@link #setup} with what was kept of it. */
    public void swapKept() {
      if (device != null) {
        device.swapKept();
        return;
      }
      for (int i = 0; i < kept.length; i++) {
        float[] now = weights.get(i).copy();
        weights.get(i).write(0, kept[i]);
        kept[i] = now;
      }
    }

    /**
     * Writes script and weights as a TorchScript archive, which every libtorch can run: in it they
     * are on the host.
     */
    public void save(OutputStream out) {
      if (device == null) {
        JniUtils.writeModule(block, out, false);
        return;
      }
      try (Module copy = load(device.archive())) {
        copy.setup(device.groups());
        copy.save(out);
      }
    }

    /** A call of the script's method; fill in the arguments in order, then run, read and close. */
    public Call call(String method) {
      return new Call(this, method);
    }

    /** Native arrays that this module owns, those of open calls included. */
    public int arrays() {
      return root.getManagedArrays().size();
    }

    /** Frees the weights. What {@link #setup} returned must not be used any more. */
    @Override
    public void close() {
      block.close();
      root.close();
    }
  }

  /** Weights of one list argument of {@code setup}: values[i] has shapes[i]. */
  public record WeightGroup(String name, List<HostBuffer> values, List<long[]> shapes) {}

  record Argument(String name, HostBuffer data, long[] shape, boolean onHost) {}

  /** One call: its arguments, its results, and the native memory of both. */
  public static final class Call implements AutoCloseable {
    private final Module module;
    private final NDManager scope;
    private final List<Argument> arguments = new ArrayList<>();
    private final String method;
    private long batch = DeviceMemory.NO_BATCH;

    private Call(Module module, String method) {
      this.module = module;
      this.method = method;
      scope = module.root.newSubManager();
    }

    /** The next argument: a tensor that shares {@code data}, which must stay as it is until run. */
    public Call add(String name, HostBuffer data, long... shape) {
      return add(name, data, false, shape);
    }

    /** As {@link #add} for one that the script reads on the host, whatever the device is. */
    public Call addHost(String name, HostBuffer data, long... shape) {
      return add(name, data, true, shape);
    }

    private Call add(String name, HostBuffer data, boolean onHost, long[] shape) {
      check(name, data, shape);
      arguments.add(new Argument(name, data, shape, onHost));
      return this;
    }

    /** A further element of the list argument {@code name}. */
    public Call addToList(String name, HostBuffer data, long... shape) {
      return add(name + "[]", data, shape);
    }

    /**
     * Says whose batch the lists among the arguments are of. A device that has the lists of this
     * number from the call before is not sent them again.
     *
     * @param number of the batch, above 0; equal numbers mean equal lists
     */
    public Call ofBatch(long number) {
      batch = number;
      return this;
    }

    /** Runs the method; views of the results are valid until this call closes. */
    public List<FloatBuffer> run() {
      return runBytes().stream().map(ByteBuffer::asFloatBuffer).toList();
    }

    /** As {@link #run}, of whatever type. */
    List<ByteBuffer> runBytes() {
      if (module.device != null) {
        return module.device.run(this, method, arguments, batch);
      }
      return run(method, arguments);
    }

    List<ByteBuffer> run(String called, List<Argument> with) {
      prepareThread();
      NDList in = new NDList();
      for (Argument argument : with) {
        in.add(tensor(scope, argument.name, argument.data, argument.shape));
      }
      NDArray marker = scope.create(0f);
      marker.setName("module_method:" + called);
      in.add(marker);
      List<ByteBuffer> out = new ArrayList<>();
      for (NDArray array : IValueUtils.forward(module.block, in, true)) {
        out.add(bytes(array));
      }
      return out;
    }

    @Override
    public void close() {
      scope.close();
    }
  }
}
