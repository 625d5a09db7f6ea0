package dev.freshet.training.rows;

import dev.freshet.core.rows.KeyMap;
import dev.freshet.core.rows.RowSlabs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.BitSet;

/** A table whose rows are read from the chunks of a {@link RowLog}: of each row the last counts. */
final class RestoredRows {

  private final EmbeddingTable table;
  private final EmbeddingTableLayout.Head head;
  private final boolean same;
  private final BitSet found;
  private final KeyMap waiting = new KeyMap();
  private final int[] free;

  RestoredRows(EmbeddingTable table, EmbeddingTableLayout.Head head) {
    this.table = table;
    this.head = head;
    same = head.fits(table);
    found = new BitSet(head.used());
    free = new int[head.free()];
  }

  /** As {@link RowChunk} has them. */
  void rows(ByteBuffer in, int count) {
    int[] rows = new int[count];
    for (int i = 0; i < count; i++) {
      rows[i] = in.getInt();
      found.set(rows[i]);
    }
    for (int row : rows) {
      table.rows.rekey(row, in.getLong());
    }
    for (int row : rows) {
      table.seen[RowSlabs.slab(row)][RowSlabs.place(row)] = in.getLong();
    }
    for (int row : rows) {
      table.fieldOf[RowSlabs.slab(row)][RowSlabs.place(row)] = in.getShort();
    }
    if (same) {
      read(in, rows, table.width(), head.slots());
    } else {
      in.position(in.position() + Float.BYTES * head.slots() * count);
    }
    read(in, rows, table.width() + table.optimizer.slots(), table.first);
    read(in, rows, 0, table.width());
  }

  /** Of each row so many floats, which start so far behind it. */
  private void read(ByteBuffer in, int[] rows, int start, int many) {
    for (int row : rows) {
      read(in, table.rows.values(row), table.rows.at(row) + start, many);
    }
  }

  private static void read(ByteBuffer in, float[] into, int at, int many) {
    for (int i = at; i < at + many; i++) {
      into[i] = in.getFloat();
    }
  }

  /** As {@link RowChunk} has them. */
  void waiting(ByteBuffer in, int count) {
    long[] keys = new long[count];
    for (int i = 0; i < count; i++) {
      keys[i] = in.getLong();
    }
    for (long key : keys) {
      int value = in.getInt();
      if (value == 0) {
        waiting.remove(key);
      } else {
        waiting.put(key, value);
      }
    }
  }

  /** Makes the table whole. */
  void end() throws IOException {
    int free = 0;
    if (found.cardinality() != head.used() || found.length() != head.used()) {
      throw missing("%,d of its %,d rows".formatted(found.cardinality(), head.used()));
    }
    for (int row = 0; row < head.used(); row++) {
      if (table.rows.key(row) == 0) {
        int place = (int) table.seen[RowSlabs.slab(row)][RowSlabs.place(row)];
        if (place < 0 || place >= this.free.length) {
          throw missing("a free row more than its %,d".formatted(this.free.length));
        }
        this.free[place] = row;
        free++;
      }
    }
    if (free != this.free.length) {
      throw missing("%,d of its %,d free rows".formatted(free, this.free.length));
    }
    table.rows.restoreFree(this.free);
    table.rows.reindex();
    KeyMap index = table.rows.index();
    index.reserve(index.size() + waiting.size());
    int rows = index.size();
    waiting.each(index::put);
    if (index.size() != rows + waiting.size()) {
      throw missing("keys that wait for rows and have them");
    }
    table.restored();
  }

  private static IOException missing(String what) {
    return new IOException("the rows of a table that were saved have " + what);
  }
}
