package dev.freshet.replica;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * The bytes of one table's keys and rows in a {@link RowDatabase}. Beside the rows there are the
 * version's manifest and dense weights.
 *
 * <pre>
 * key byte table | long row key, big-endian      value floats, little-endian
 * key byte -1 | 'm'                              value manifest, JSON
 * key byte -1 | 'd'                              value dense weights, safetensors
 * </pre>
 */
final class RowBytes {

  static final byte[] MANIFEST = {-1, 'm'};
  static final byte[] DENSE = {-1, 'd'};

  private final int table;
  private final int width;
  private final ByteBuffer scratch;

  RowBytes(int table, int width) {
    this.table = table;
    this.width = width;
    scratch = ByteBuffer.allocate(width * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
  }

  int table() {
    return table;
  }

  byte[] key(long key) {
    return ByteBuffer.allocate(1 + Long.BYTES).put((byte) table).putLong(key).array();
  }

  /** The bytes of the row at a place; the same array each time, which RocksDB copies. */
  byte[] value(FloatBuffer values, int place) {
    scratch.asFloatBuffer().put(0, values, place * width, width);
    return scratch.array();
  }

  static FloatBuffer floats(byte[] value) {
    return ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
  }
}
