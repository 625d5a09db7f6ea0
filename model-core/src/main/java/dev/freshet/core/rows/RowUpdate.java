package dev.freshet.core.rows;

import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Published changes to a consumer's table, worked out beside it: where each row goes is looked up,
 * so {@link #run} does little more than copy. Nothing else may change the table in between.
 */
public final class RowUpdate implements Runnable {

  private final ServedRows table;
  private final long[] dropped;
  private final LongBuffer keys;
  private final FloatBuffer values;

  /** Where to find what changes, and its row; -1 for a new one. */
  private final int[] places;

  private final int[] rows;

  private RowUpdate(
      ServedRows table, LongStream dropped, LongBuffer keys, FloatBuffer values, int[] places) {
    this.table = table;
    this.dropped = dropped.filter(key -> table.row(key) >= 0).toArray();
    this.keys = keys;
    this.values = values;
    this.places = places;
    rows = IntStream.of(places).map(i -> Math.max(-1, table.row(keys.get(i)))).toArray();
  }

  /**
   * Update by a delta.
   *
   * @param dropped keys whose rows go; one that is among {@code keys} too has a new row
   * @param values a row for each of {@code keys}, one after the other
   */
  public static RowUpdate delta(
      ServedRows table, LongBuffer dropped, LongBuffer keys, FloatBuffer values) {
    KeyMap gone = new KeyMap();
    for (int i = 0; i < dropped.limit(); i++) {
      gone.put(dropped.get(i), i);
    }
    for (int i = 0; gone.size() > 0 && i < keys.limit(); i++) {
      gone.remove(keys.get(i));
    }
    LongStream.Builder left = LongStream.builder();
    gone.each((key, i) -> left.add(key));
    int[] all = IntStream.range(0, keys.limit()).toArray();
    return new RowUpdate(table, left.build(), keys, values, all);
  }

  /** Update to a base, which has all rows: those that are there already are left alone. */
  public static RowUpdate base(ServedRows table, LongBuffer keys, FloatBuffer values) {
    int[] changed =
        IntStream.range(0, keys.limit())
            .filter(i -> !table.hasRow(keys.get(i), values, i * table.width()))
            .toArray();
    return new RowUpdate(table, LongStream.of(table.keysNotIn(keys)), keys, values, changed);
  }

  @Override
  public void run() {
    for (long key : dropped) {
      table.remove(key);
    }
    for (int i = 0; i < places.length; i++) {
      int row = rows[i] >= 0 ? rows[i] : table.add(keys.get(places[i]));
      table.set(row, values, places[i] * table.width());
    }
  }
}
