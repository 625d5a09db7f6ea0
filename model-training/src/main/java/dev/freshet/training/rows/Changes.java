package dev.freshet.training.rows;

import java.util.Arrays;

/** Which rows of a table changed, and which keys went, since the last version. */
final class Changes {

  private final TouchedRows touched = new TouchedRows();
  private long[] dropped = new long[16];
  private int droppedCount;

  void touch(int row) {
    touched.touch(row);
  }

  void drop(long key) {
    if (droppedCount == dropped.length) {
      dropped = Arrays.copyOf(dropped, droppedCount * 2);
    }
    dropped[droppedCount++] = key;
  }

  int touchedCount() {
    return touched.count();
  }

  int touched(int index) {
    return touched.row(index);
  }

  long[] dropped() {
    return Arrays.copyOf(dropped, droppedCount);
  }

  void clear() {
    touched.clear();
    droppedCount = 0;
  }
}
