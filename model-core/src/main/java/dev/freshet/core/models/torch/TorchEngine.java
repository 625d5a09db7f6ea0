package dev.freshet.core.models.torch;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

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

  private static final String NAME = "PyTorch";
  private static final String SELF_TEST =
      """
      class SelfTest(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        def square(self: __torch__.SelfTest, x: Tensor) -> List[Tensor]:
          torch.set_grad_enabled(True)
          leaf = torch.requires_grad_(torch.detach(x), True)
          y = torch.sum(torch.mul(leaf, leaf))
          grads = torch.autograd.grad([y], [leaf], None, False)
          torch.set_grad_enabled(False)
          out = annotate(List[Tensor], [torch.detach(y)])
          g = grads[0]
          if g is not None:
            out.append(g)
          return out
      """;

  private TorchEngine() {}

  /**
   * Proves that this process can run a script and take a gradient, and tells the engine's version.
   *
   * @throws IllegalStateException if the native library is missing, broken, or computes wrongly
   */
  public static String selfTest() {
    try (Module module = load(ScriptArchive.ofSource("SelfTest", SELF_TEST, Map.of()));
        Call call = module.call("square")) {
      HostBuffer x = new HostBuffer();
      x.floats(2).put(3f).put(-1f);
      List<FloatBuffer> out = call.add("x", x, 2).run();
      if (out.get(0).get(0) != 10f || out.get(1).get(0) != 6f || out.get(1).get(1) != -2f) {
        throw new IllegalStateException("PyTorch computes wrongly: d(x*x) at 3, -1 is not 6, -2");
      }
      return Engine.getEngine(NAME).getVersion();
    } catch (RuntimeException | LinkageError e) {
      throw new IllegalStateException(
          "PyTorch's native library does not work here: DJL, its JNI and its native jar belong on"
              + " the class path of Flink itself (lib/), in one version, once per process",
          e);
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

  /** Loads a module as {@link Module#save} wrote it, or any other TorchScript archive. */
  public static Module load(byte[] archive) {
    PtNDManager root = (PtNDManager) NDManager.newBaseManager(Device.cpu(), NAME);
    try {
      prepareThread();
      PtSymbolBlock block =
          JniUtils.loadModule(root, new ByteArrayInputStream(archive), false, false);
      return new Module(root, block);
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

  private static NDArray tensor(NDManager owner, String name, HostBuffer data, long... shape) {
    ByteBuffer bytes = data.inUse();
    Shape of = new Shape(shape);
    DataType type =
        switch (data.kind()) {
          case FLOATS -> DataType.FLOAT32;
          case DOUBLES -> DataType.FLOAT64;
          case LONGS -> DataType.INT64;
        };
    if (bytes.remaining() != of.size() * type.getNumOfBytes()) {
      throw new IllegalArgumentException(
          name + ": buffer holds " + bytes.remaining() + " bytes, which is not " + type + of);
    }
    NDArray array = owner.create(bytes, of, type);
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
    private boolean capped;

    private Module(PtNDManager root, PtSymbolBlock block) {
      this.root = root;
      this.block = block;
    }

    /**
     * Hands weights over to the script's {@code setup} method, one list per group, and returns
     * views of the live memory: the script updates them in place, and what is put into a view is
     * what the script sees. Call once; afterwards this module refuses to own anything more, so that
     * a leak is an exception.
     */
    public List<List<FloatBuffer>> setup(List<WeightGroup> groups) {
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
        method.setName("module_method:setup");
        in.add(method);
        IValueUtils.forward(block, in, true).close();
      }
      root.cap();
      capped = true;
      List<List<FloatBuffer>> views = new ArrayList<>();
      int next = 0;
      for (WeightGroup group : groups) {
        List<FloatBuffer> list = new ArrayList<>();
        for (int i = 0; i < group.values().size(); i++) {
          list.add(bytes(arrays.get(next++)).asFloatBuffer());
        }
        views.add(list);
      }
      return views;
    }

    /** Writes script and weights as a TorchScript archive, which every libtorch can run. */
    public void save(OutputStream out) {
      JniUtils.writeModule(block, out, false);
    }

    /** A call of the script's method; fill in the arguments in order, then run, read and close. */
    public Call call(String method) {
      return new Call(this, method);
    }

    /** Native arrays that this module owns, those of open calls included. */
    public int arrays() {
      return root.getManagedArrays().size();
    }

    /** Frees the weights. Views that {@link #setup} returned must not be used any more. */
    @Override
    public void close() {
      block.close();
      root.close();
    }
  }

  /** Weights of one list argument of {@code setup}: values[i] has shapes[i]. */
  public record WeightGroup(String name, List<HostBuffer> values, List<long[]> shapes) {}

  /** One call: its arguments, its results, and the native memory of both. */
  public static final class Call implements AutoCloseable {
    private final Module module;
    private final NDManager scope;
    private final NDList in = new NDList();
    private final String method;

    private Call(Module module, String method) {
      this.module = module;
      this.method = method;
      scope = module.root.newSubManager();
    }

    /** The next argument: a tensor that shares {@code data}, which must stay as it is until run. */
    public Call add(String name, HostBuffer data, long... shape) {
      in.add(tensor(scope, name, data, shape));
      return this;
    }

    /** A further element of the list argument {@code name}. */
    public Call addToList(String name, HostBuffer data, long... shape) {
      return add(name + "[]", data, shape);
    }

    /** Runs the method; views of the results are valid until this call closes. */
    public List<FloatBuffer> run() {
      return runBytes().stream().map(ByteBuffer::asFloatBuffer).toList();
    }

    /** As {@link #run}, of whatever type. */
    List<ByteBuffer> runBytes() {
      prepareThread();
      NDArray marker = scope.create(0f);
      marker.setName("module_method:" + method);
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
