package dev.freshet.training.rows;

import java.util.Arrays;

/** Which rows of a table changed, and which keys went, since the last version. */
final class Changes {

  private int[] touched = new int[64];
  private int touchedCount;
  private long[] marks = new long[16];
  private long[] dropped = new long[16];
  private int droppedCount;

  void touch(int row) {
    int word = row >> 6;
    if (word >= marks.length) {
      marks = Arrays.copyOf(marks, Math.max(word + 1, marks.length * 2));
    }
    long bit = 1L << (row & 63);
    if ((marks[word] & bit) == 0) {
      marks[word] |= bit;
      if (touchedCount == touched.length) {
        touched = Arrays.copyOf(touched, touchedCount * 2);
      }
      touched[touchedCount++] = row;
    }
  }

  void drop(long key) {
    if (droppedCount == dropped.length) {
      dropped = Arrays.copyOf(dropped, droppedCount * 2);
    }
    dropped[droppedCount++] = key;
  }

  int touchedCount() {
    return touchedCount;
  }

  int touched(int index) {
    return touched[index];
  }

  long[] dropped() {
    return Arrays.copyOf(dropped, droppedCount);
  }

  void clear() {
    for (int i = 0; i < touchedCount; i++) {
      marks[touched[i] >> 6] = 0;
    }
    touchedCount = 0;
    droppedCount = 0;
  }
}
