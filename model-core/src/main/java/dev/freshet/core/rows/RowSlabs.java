package dev.freshet.core.rows;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Rows of floats by key, on the host. An open-addressing map finds a key's row; rows lie in slabs
 * of a fixed number of rows, so that nothing is copied when there are more. The number of a row
 * that was dropped goes to the next key.
 */
public final class RowSlabs {

  private static final int BITS = 12;

  /** Rows in a slab. */
  public static final int SLAB = 1 << BITS;

  private static final int IN_SLAB = SLAB - 1;

  private final int width;

  /** Floats from one row to the next. */
  private final int stride;

  private final KeyMap index = new KeyMap();
  private float[][] values = {};

  /** 0 where no row is. */
  private long[][] keys = {};

  private int used;
  private int[] free = new int[16];
  private int freeCount;

  /**
   * @param width floats of a row
   * @param beside floats that its owner keeps behind each row, in the memory that is fetched with
   *     it
   */
  public RowSlabs(int width, int beside) {
    this.width = width;
    stride = width + beside;
  }

  /** The slab in which a row lies. */
  public static int slab(int row) {
    return row >> BITS;
  }

  /** A row's place in its slab. */
  public static int place(int row) {
    return row & IN_SLAB;
  }

  /** Floats of a row. */
  public int width() {
    return width;
  }

  /** From keys to rows; what else its owner keeps of keys is negative. */
  public KeyMap index() {
    return index;
  }

  /** One above the highest number of a row there ever was. */
  public int used() {
    return used;
  }

  /** Rows in use. */
  public int size() {
    return used - freeCount;
  }

  public int slabs() {
    return values.length;
  }

  /** The key of a row; 0 if it is free. */
  public long key(int row) {
    return keys[row >> BITS][row & IN_SLAB];
  }

  /** Values of all rows of the slab in which a row lies. */
  public float[] values(int row) {
    return values[row >> BITS];
  }

  /** Where a row's values start in {@link #values}; what lies beside it starts behind them. */
  public int at(int row) {
    return (row & IN_SLAB) * stride;
  }

  /** A row for a key that has none; its values are whatever they were. */
  public int add(long key) {
    int row = freeCount > 0 ? free[--freeCount] : used++;
    place(row, key);
    index.put(key, row);
    return row;
  }

  private void place(int row, long key) {
    int slab = row >> BITS;
    if (slab == values.length) {
      values = Arrays.copyOf(values, slab + 1);
      keys = Arrays.copyOf(keys, slab + 1);
      values[slab] = new float[SLAB * stride];
      keys[slab] = new long[SLAB];
    }
    keys[slab][row & IN_SLAB] = key;
  }

  /** Drops a row and its key. */
  public void remove(int row) {
    remove(row, (key, value) -> {});
  }

  /**
   * As above.
   *
   * @param moved as of {@link KeyMap#remove(long, KeyMap.Visitor)}
   */
  public void remove(int row, KeyMap.Visitor moved) {
    index.remove(key(row), moved);
    keys[row >> BITS][row & IN_SLAB] = 0;
    if (freeCount == free.length) {
      free = Arrays.copyOf(free, freeCount * 2);
    }
    free[freeCount++] = row;
  }

  /** Copies a row to where {@code into} stands. */
  public void read(int row, FloatBuffer into) {
    into.put(values[row >> BITS], at(row), width);
  }

  /** Sets a row's values. */
  public void set(int row, FloatBuffer from, int at) {
    from.get(at, values[row >> BITS], at(row), width);
  }

  public void copy(int from, int to) {
    System.arraycopy(values(from), at(from), values(to), at(to), width);
  }

  /** Visits every row in use, in order of its number. */
  public void each(EmbeddingRows.Visitor visitor) throws IOException {
    for (int row = 0; row < used; row++) {
      visit(row, visitor);
    }
  }

  /** Visits a row, if it is in use. */
  public void visit(int row, EmbeddingRows.Visitor visitor) throws IOException {
    long key = key(row);
    if (key != 0) {
      visitor.row(key, values(row), at(row));
    }
  }

  /** Free rows, the one that is given away next at the end. */
  public int[] free() {
    return Arrays.copyOf(free, freeCount);
  }

  /** Forgets all rows; what follows is {@link #restore} for each of them. */
  public void clear() {
    index.clear();
    used = 0;
    freeCount = 0;
  }

  /**
   * The next row of what is read from a checkpoint.
   *
   * @param key 0 if it is free
   */
  public int restore(long key) {
    int row = used++;
    place(row, key);
    if (key != 0) {
      index.put(key, row);
    }
    return row;
  }

  /**
   * Gives a row another key, which {@link #index} finds only after {@link #reindex}.
   *
   * @param key 0 if it is free
   */
  public void rekey(int row, long key) {
    keys[row >> BITS][row & IN_SLAB] = key;
  }

  /** Fills the index anew from the rows' keys; what else was in it is gone. */
  public void reindex() {
    index.clear();
    index.reserve(used);
    for (int row = 0; row < used; row++) {
      if (key(row) != 0) {
        index.put(key(row), row);
      }
    }
  }

  /** As {@link #free()} told; after all rows are there. */
  public void restoreFree(int[] rows) {
    free = Arrays.copyOf(rows, Math.max(16, rows.length));
    freeCount = rows.length;
  }
}
