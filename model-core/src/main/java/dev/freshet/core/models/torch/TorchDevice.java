package dev.freshet.core.models.torch;

/**
 * Where a module computes and keeps its weights.
 *
 * @param name as libtorch calls it: {@code cpu}, {@code cuda:1}
 * @param apart true if its memory is not the host's. Then the host reads and writes copies,
 *     whatever the device is; {@code cpu} may be told to be apart, to test just that
 * @param pinned true if transfers start from and end in memory that the operating system may not
 *     move, which only CUDA can make
 */
public record TorchDevice(String name, boolean apart, boolean pinned) {

  /** The processor, in the host's memory: nothing is copied. */
  public static final TorchDevice HOST = new TorchDevice("cpu", false, false);

  public TorchDevice {
    if (!apart && (pinned || !name.equals("cpu"))) {
      throw new IllegalArgumentException(name + " does not compute in the host's memory");
    }
  }

  /** The GPU of an index, as CUDA counts them in this process. */
  public static TorchDevice gpu(int index) {
    return new TorchDevice("cuda:" + index, true, true);
  }

  @Override
  public String toString() {
    return name;
  }
}
