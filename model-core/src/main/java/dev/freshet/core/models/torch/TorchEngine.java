package dev.freshet.core.models.torch;

import ai.djl.Device;
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
import org.jspecify.annotations.Nullable;

/**
 * Loads TorchScript modules through DJL and calls them with tensors that live in reused direct
 * buffers. Beside {@link TorchLibrary} the only class that touches DJL. Everything else in Freshet
 * sees Java types.
 *
 * <p>Native memory has two owners. Weights belong to the {@link Module} and live as long as it.
 * What a call makes belongs to that {@link Call} and is gone when it closes; a result read after
 * that is a read of freed memory, so copy what must last.
 *
 * <p>A module and its calls belong to one thread at a time: libtorch keeps the gradient mode per
 * thread, which is why every call sets it.
 */
public final class TorchEngine {

  static final String NAME = "PyTorch";

  private TorchEngine() {}

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

  private static Module load(byte[] archive, @Nullable DeviceMemory device) {
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
    private final @Nullable DeviceMemory device;

    private boolean capped;

    /** The first group, as {@link #setup} returned it. */
    private List<TensorValues> weights = List.of();

    private float[][] kept = {};

    private Module(PtNDManager root, PtSymbolBlock block, @Nullable DeviceMemory device) {
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
    private final NDList handedOn = new NDList();
    private final List<Argument> arguments = new ArrayList<>();
    private List<NDArray> results = List.of();
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

    /**
     * A further element of the list argument {@code name}: a result of a call that has run and is
     * not closed, on the host. These come before all other arguments.
     */
    public Call addToList(String name, Call of, int result) {
      NDArray array = of.results.get(result);
      array.setName(name + "[]");
      handedOn.add(array);
      return this;
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

    /** How many results there are, once it has run. */
    public int results() {
      return results.size();
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
      NDList in = new NDList(handedOn);
      for (Argument argument : with) {
        in.add(tensor(scope, argument.name, argument.data, argument.shape));
      }
      NDArray marker = scope.create(0f);
      marker.setName("module_method:" + called);
      in.add(marker);
      List<ByteBuffer> out = new ArrayList<>();
      results = IValueUtils.forward(module.block, in, true);
      for (NDArray array : results) {
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
