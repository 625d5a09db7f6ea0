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
   * because a processor then fetches the memory of several at once. Changes nothing: {@link
   * Workers} look at once.
   */
  default void look(long[] keys, int from, int to, int[] rows) {
    Arrays.fill(rows, from, to, -1);
  }

  /**
   * A row of a key that was sighted: {@link Workers} tell it of rows that differ.
   *
   * @param eventTime of the newest example with it
   * @return true if that is newer than all before; {@link #seenAnew} follows then, by one thread
   */
  default boolean seen(int row, long eventTime) {
    return false;
  }

  /** Comes after {@link #seen}. */
  default void seenAnew(int row) {}

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

  /** Copies a row to where {@code into} stands. {@link Workers} read at once. */
  void read(int row, FloatBuffer into);
}
