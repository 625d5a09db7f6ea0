package dev.freshet.training.rows;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Layout;
import dev.freshet.core.pipeline.RowOptimizers;
import dev.freshet.core.rows.KeyMap;
import dev.freshet.core.rows.RowSlabs;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.stream.LongStream;

/**
 * An {@link EmbeddingTable} in a checkpoint.
 *
 * <pre>
 * byte version = 3 | count dim | count first (from version 2) | (from version 3) optimiser's name | count its slots
 * | int used | int free, each: int row | int expire position
 * | per used row: long key | long seen | count field | floats slots | first floats first squares
 * | dim + first floats of every used row | int waiting keys, each: long key | int value
 * </pre>
 */
final class EmbeddingTableLayout {

  private static final Layout LAYOUT = new Layout("freshet.embedding-table", 3);
  private static final int FIRST_ORDER = 2;
  private static final int WITH_OPTIMIZER = 3;

  private EmbeddingTableLayout() {}

  /**
   * Beginning of the bytes.
   *
   * @param optimizer that the embeddings were learnt with
   * @param slots of a row
   * @param used one above the highest row
   * @param free how many of these are free
   */
  record Head(int version, String optimizer, int slots, int used, int free) {

    boolean fits(EmbeddingTable table) {
      return optimizer.equals(table.optimizer.kind().toString());
    }
  }

  private static void writeShape(EmbeddingTable table, DataOutput out) throws IOException {
    LAYOUT.writeVersion(out);
    Bytes.writeCount(out, table.dim);
    Bytes.writeCount(out, table.first);
    out.writeUTF(table.optimizer.kind().toString());
    Bytes.writeCount(out, table.optimizer.slots());
    out.writeInt(table.rows.used());
    out.writeInt(table.rows.used() - table.rows.size());
  }

  /** All up to the number of free rows, and the expire position. */
  static void writeHead(EmbeddingTable table, DataOutput out) throws IOException {
    writeShape(table, out);
    out.writeInt(table.expireAt);
  }

  /** The inverse of {@link #writeHead}: all rows are free then, none of them among the free. */
  static Head readHead(EmbeddingTable table, DataInput in) throws IOException {
    Head head = readShape(table, in);
    table.expireAt = in.readInt();
    table.rows.clear();
    for (int i = 0; i < head.used(); i++) {
      table.startBeside(table.rows.restore(0), 0, 0);
    }
    return head;
  }

  static void write(EmbeddingTable table, DataOutput out) throws IOException {
    RowSlabs rows = table.rows;
    int slots = table.optimizer.slots();
    writeShape(table, out);
    for (int row : rows.free()) {
      out.writeInt(row);
    }
    out.writeInt(table.expireAt);
    for (int row = 0; row < rows.used(); row++) {
      int slab = RowSlabs.slab(row);
      int at = RowSlabs.place(row);
      out.writeLong(rows.key(row));
      out.writeLong(table.seen[slab][at]);
      // One byte, as it always was, up to 127.
      Bytes.writeCount(out, table.fieldOf[slab][at]);
      writeFloats(out, rows.values(row), rows.at(row) + rows.width(), slots + table.first);
    }
    for (int row = 0; row < rows.used(); row++) {
      writeFloats(out, rows.values(row), rows.at(row), rows.width());
    }
    writeWaiting(rows.index(), out);
  }

  private static void writeFloats(DataOutput out, float[] floats, int from, int count)
      throws IOException {
    Bytes.writeAll(out, FloatBuffer.wrap(floats, from, count).slice(), count);
  }

  private static void readFloats(DataInput in, float[] floats, int from, int count)
      throws IOException {
    Bytes.readAll(in, FloatBuffer.wrap(floats, from, count).slice(), count);
  }

  // By key: where they lie in the index depends on what else was in it.
  private static void writeWaiting(KeyMap index, DataOutput out) throws IOException {
    LongStream.Builder waiting = LongStream.builder();
    index.each(
        (key, value) -> {
          if (value < 0) {
            waiting.add(key);
          }
        });
    long[] keys = waiting.build().sorted().toArray();
    out.writeInt(keys.length);
    for (long key : keys) {
      out.writeLong(key);
      out.writeInt(index.get(key));
    }
  }

  private static Head readShape(EmbeddingTable table, DataInput in) throws IOException {
    int version = LAYOUT.readVersion(in);
    int dim = Bytes.readCount(in);
    // Rows of before had no first-order weights: these start at zero, which changes no prediction.
    int first = version < FIRST_ORDER ? 0 : Bytes.readCount(in);
    if (dim != table.dim || version >= FIRST_ORDER && first != table.first) {
      throw new IOException(
          "rows of %d + %d floats do not fit a table of %d + %d"
              .formatted(dim, first, table.dim, table.first));
    }
    // There was one alone once.
    String learntWith = version < WITH_OPTIMIZER ? RowOptimizers.ADAGRAD.toString() : in.readUTF();
    int slots = version < WITH_OPTIMIZER ? 1 : Bytes.readCount(in);
    return new Head(version, learntWith, slots, in.readInt(), in.readInt());
  }

  /** As {@link EmbeddingTable#restore}. */
  static String read(EmbeddingTable table, DataInput in, float examples) throws IOException {
    Head head = readShape(table, in);
    int version = head.version();
    int first = version < FIRST_ORDER ? 0 : table.first;
    int slots = head.slots();
    int used = head.used();
    boolean same = head.fits(table);
    RowSlabs rows = table.rows;
    rows.clear();
    int[] free = new int[head.free()];
    for (int i = 0; i < free.length; i++) {
      free[i] = in.readInt();
    }
    table.expireAt = in.readInt();
    for (int i = 0; i < used; i++) {
      int row = rows.restore(in.readLong());
      long lastSeen = in.readLong();
      table.startBeside(row, Bytes.readCount(in), lastSeen);
      float[] values = rows.values(row);
      int beside = rows.at(row) + rows.width();
      for (int j = 0; j < slots; j++) {
        float slot = in.readFloat();
        if (same) {
          values[beside + j] = version < FIRST_ORDER ? slot * examples * examples : slot;
        }
      }
      readFloats(in, values, beside + table.optimizer.slots(), first);
    }
    for (int row = 0; row < used; row++) {
      int width = version < FIRST_ORDER ? table.dim : rows.width();
      readFloats(in, rows.values(row), rows.at(row), width);
    }
    rows.restoreFree(free);
    // Those of before had what was left of the rows that were dropped.
    for (int i = 0; i < free.length; i++) {
      table.blank(free[i], i);
    }
    int waiting = in.readInt();
    for (int i = 0; i < waiting; i++) {
      rows.index().put(in.readLong(), in.readInt());
    }
    return head.optimizer();
  }
}
