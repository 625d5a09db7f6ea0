package dev.freshet.core.models.torch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;

/**
 * Memory outside the heap that is filled again for every call and that libtorch reads without a
 * copy. Grows by doubling and never shrinks, because fresh direct buffers cost five times a reused
 * one and eat the JVM's direct-memory limit.
 *
 * <p>Do not refill before the call that reads it has returned.
 */
public final class HostBuffer {

  private ByteBuffer bytes = allocate(1024);
  private Kind kind = Kind.LONGS;

  /** Kinds of values that the bytes are. */
  enum Kind {
    FLOATS,
    DOUBLES,
    LONGS
  }

  /** A view of the first {@code size} floats, whose contents are whatever was there before. */
  public FloatBuffer floats(int size) {
    reserve(Math.multiplyExact(size, Float.BYTES));
    kind = Kind.FLOATS;
    return bytes.asFloatBuffer();
  }

  /** As {@link #floats} with 64-bit integers, which is what indices are for libtorch. */
  public LongBuffer longs(int size) {
    reserve(Math.multiplyExact(size, Long.BYTES));
    kind = Kind.LONGS;
    return bytes.asLongBuffer();
  }

  /** As {@link #floats} in double precision, in which gradients are checked. */
  DoubleBuffer doubles(int size) {
    reserve(Math.multiplyExact(size, Double.BYTES));
    kind = Kind.DOUBLES;
    return bytes.asDoubleBuffer();
  }

  private void reserve(int size) {
    if (bytes.capacity() < size) {
      bytes = allocate(Math.max(size, Math.min(bytes.capacity() * 2L, Integer.MAX_VALUE)));
    }
    bytes.position(0).limit(size);
  }

  private static ByteBuffer allocate(long size) {
    return ByteBuffer.allocateDirect((int) size).order(ByteOrder.nativeOrder());
  }

  Kind kind() {
    return kind;
  }

  /** The bytes in use, as a buffer of its own whose position the engine may move. */
  ByteBuffer inUse() {
    return bytes.duplicate().order(ByteOrder.nativeOrder());
  }
}
