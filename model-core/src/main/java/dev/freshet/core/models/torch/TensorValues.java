package dev.freshet.core.models.torch;

import java.nio.FloatBuffer;

/**
 * The values of a tensor that a module keeps between calls, wherever it keeps them. In the host's
 * memory nothing is copied; on a device each read and each write is a transfer, but for tensors
 * that are mirrored.
 */
public interface TensorValues {

  int size();

  /**
   * The values as they are now, from position 0 on; they cannot be written to. Whether they follow
   * later changes is not said: read again.
   */
  FloatBuffer read();

  /** Replaces values from the given one on; the next call of the module sees them. */
  void write(int at, FloatBuffer values);

  /** As {@link #write(int, FloatBuffer)}. */
  default void write(int at, float... values) {
    write(at, FloatBuffer.wrap(values));
  }

  /** A copy of all values. */
  default float[] copy() {
    float[] copy = new float[size()];
    read().get(0, copy);
    return copy;
  }

  /** In memory that the host and the script share. */
  record Shared(FloatBuffer live) implements TensorValues {
    @Override
    public int size() {
      return live.capacity();
    }

    @Override
    public FloatBuffer read() {
      return live.asReadOnlyBuffer();
    }

    @Override
    public void write(int at, FloatBuffer values) {
      live.put(at, values, values.position(), values.remaining());
    }
  }
}
