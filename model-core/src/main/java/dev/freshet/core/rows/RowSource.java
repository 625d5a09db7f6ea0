package dev.freshet.core.rows;

import java.nio.FloatBuffer;
import java.util.Arrays;

/** Where the embedding rows of one size come from when a batch is predicted. */
public interface RowSource {

  int width();

  /** A batch begins: numbers of rows that were given out before count no longer. */
  default void begin() {}

  /**
   * The rows that keys have of their own, as far as that is known without more ado: negative
   * numbers for others, of which {@link #find} or {@link #sight} knows more. Many keys in one loop,
   * because a processor then fetches the memory of several at once.
   */
  default void look(long[] keys, int count, int[] rows) {
    Arrays.fill(rows, 0, count, -1);
  }

  /** What {@link #sight} does for a row that {@link #look} found. */
  default void seen(int row, long eventTime) {}

  /**
   * The number of the row that stands for a key: its own, or its field's row for unknown values.
   *
   * @param field position among the fields of this size
   */
  int find(long key, int field);

  /**
   * As {@link #find}, of an example that is learnt: the key may get its row by it.
   *
   * @param eventTime of the example, in milliseconds
   */
  default int sight(long key, int field, long eventTime) {
    return find(key, field);
  }

  /**
   * True if a row that {@link #find} gave, and that was read since, stands for unknown values.
   *
   * @param field as it was found for
   */
  boolean isUnknown(int row, int field);

  /** Copies a row to where {@code into} stands. */
  void read(int row, FloatBuffer into);
}
