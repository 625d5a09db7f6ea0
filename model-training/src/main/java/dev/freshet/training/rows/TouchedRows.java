package dev.freshet.training.rows;

import java.util.Arrays;

/** Numbers of rows, each once, in the order in which they were first touched. */
final class TouchedRows {

  private int[] rows = new int[64];
  private int count;
  private long[] marks = new long[16];

  void touch(int row) {
    int word = row >> 6;
    if (word >= marks.length) {
      marks = Arrays.copyOf(marks, Math.max(word + 1, marks.length * 2));
    }
    long bit = 1L << (row & 63);
    if ((marks[word] & bit) == 0) {
      marks[word] |= bit;
      if (count == rows.length) {
        rows = Arrays.copyOf(rows, count * 2);
      }
      rows[count++] = row;
    }
  }

  int count() {
    return count;
  }

  int row(int index) {
    return rows[index];
  }

  /** All of them by number, which is how they lie in memory. */
  int[] sorted() {
    int[] sorted = Arrays.copyOf(rows, count);
    Arrays.sort(sorted);
    return sorted;
  }

  void clear() {
    for (int i = 0; i < count; i++) {
      marks[rows[i] >> 6] = 0;
    }
    count = 0;
  }
}
