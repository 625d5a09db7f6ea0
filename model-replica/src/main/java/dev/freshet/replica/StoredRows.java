package dev.freshet.replica;

import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.rows.KeyMap;
import dev.freshet.core.rows.RowSource;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one size on disk, as batches read them. Those for unknown values, which nearly every
 * batch asks for, are held in memory.
 */
final class StoredRows implements RowSource {

  private final RowDatabase database;
  private final RowBytes bytes;
  private final int dim;
  private final int width;
  private final long[] unknownKeys;
  private final float[][] unknown;
  private final KeyMap slots = new KeyMap();
  private long[] keys = new long[1024];
  private int[] fields = new int[1024];
  private int used;
  private @Nullable List<byte[]> fetched;

  /**
   * @param number of the table
   * @param first count of first-order weights behind an embedding
   * @param fields of this size
   */
  StoredRows(RowDatabase database, int number, int dim, int first, List<FeatureField> fields) {
    this.database = database;
    this.dim = dim;
    width = dim + first;
    bytes = new RowBytes(number, width);
    unknownKeys = fields.stream().mapToLong(FeatureEncoder::unknownKey).toArray();
    unknown = new float[unknownKeys.length][width];
  }

  RowBytes bytes() {
    return bytes;
  }

  int dim() {
    return dim;
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public void begin() {
    slots.clear();
    used = 0;
    fetched = null;
  }

  /** Numbers the batch's keys; whether they have rows is seen when these are read. */
  @Override
  public int find(long key, int field) {
    int slot = slots.get(key);
    if (slot == KeyMap.MISSING) {
      slot = used++;
      if (slot == keys.length) {
        keys = Arrays.copyOf(keys, 2 * slot);
        fields = Arrays.copyOf(fields, 2 * slot);
      }
      keys[slot] = key;
      fields[slot] = field;
      slots.put(key, slot);
    }
    return slot;
  }

  @Override
  public boolean isUnknown(int row, int field) {
    return fetched().get(row) == null;
  }

  @Override
  public void read(int row, FloatBuffer into) {
    byte[] value = fetched().get(row);
    if (value == null) {
      into.put(unknown[fields[row]]);
    } else {
      FloatBuffer found = RowBytes.floats(value);
      int missing = width - found.remaining();
      into.put(found);
      // A row of before first-order weights.
      for (int i = 0; i < missing; i++) {
        into.put(0);
      }
    }
  }

  /** All rows of the batch, which are read with one call. */
  private List<byte[]> fetched() {
    if (fetched != null) {
      return fetched;
    }
    List<byte[]> wanted = new ArrayList<>(used);
    for (int i = 0; i < used; i++) {
      wanted.add(bytes.key(keys[i]));
    }
    return fetched = database.read(wanted);
  }

  /**
   * Reads what is held in memory. Rows of before first-order weights are shorter by these.
   *
   * @throws IOException if rows are of another size
   */
  void readUnknown(OpenDatabase from) throws IOException {
    for (int field = 0; field < unknown.length; field++) {
      byte[] value = from.get(bytes.key(unknownKeys[field]));
      if (value != null) {
        FloatBuffer row = RowBytes.floats(value);
        if (row.remaining() != width && row.remaining() != dim) {
          throw new IOException(
              "a row on disk has "
                  + row.remaining()
                  + " numbers, where "
                  + width
                  + ", or "
                  + dim
                  + " without first-order weights, are expected");
        }
        row.get(unknown[field], 0, row.remaining());
      }
    }
  }

  /** An action that changes the rows in memory to those among the published ones. */
  Runnable unknownAmong(LongBuffer published, FloatBuffer values) {
    List<Runnable> changes = new ArrayList<>();
    for (int i = 0; i < published.limit(); i++) {
      for (int field = 0; field < unknownKeys.length; field++) {
        if (published.get(i) == unknownKeys[field]) {
          float[] row = new float[width];
          values.get(i * width, row);
          float[] to = unknown[field];
          changes.add(() -> System.arraycopy(row, 0, to, 0, width));
        }
      }
    }
    return () -> changes.forEach(Runnable::run);
  }
}
