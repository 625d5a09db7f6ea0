package dev.freshet.training.rows;

/**
 * A place in a walk over tables, as a number that grows on the way: of each table its rows by
 * number, then the slots of its index, in which keys wait.
 */
final class RowPlace {

  private static final int TABLE = 33;
  private static final long WAITING = 1L << 32;

  private RowPlace() {}

  static long row(int table, int row) {
    return (long) table << TABLE | row;
  }

  static long slot(int table, int slot) {
    return (long) table << TABLE | WAITING | slot;
  }

  static int table(long place) {
    return (int) (place >>> TABLE);
  }

  /** True among the slots of a table's index. */
  static boolean waiting(long place) {
    return (place & WAITING) != 0;
  }

  /** The number of the row or slot. */
  static int number(long place) {
    return (int) place;
  }
}
