package dev.freshet.training.rows;

import dev.freshet.core.codec.Layout;
import dev.freshet.core.rows.KeyMap;
import dev.freshet.core.rows.RowSlabs;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * Rows of tables, and keys that wait for theirs, as they were at one moment: what a {@link RowLog}
 * consists of.
 *
 * <pre>
 * header, see {@link Layout} | until the end: short table | byte kind | int count, and of each:
 *   of kind 0: int row, then of each: long key, long seen, short field, floats slots, first floats
 *     first squares, dim + first floats; of a row that is free the key is 0, and seen its place
 *     among the free ones
 *   of kind 1: long key, then of each: int value, 0 if it waits no more
 * </pre>
 *
 * Like lies beside like: it is read from memory faster so, and what finds nothing to compress in
 * floats, as Snappy, passes quickly over them.
 *
 * <p>How many floats there are says the table's head in the trainer's snapshot.
 */
final class RowChunk {

  private static final Layout LAYOUT = new Layout("freshet.row-chunk", 1);
  private static final VarHandle FLOATS =
      MethodHandles.byteArrayViewVarHandle(float[].class, ByteOrder.BIG_ENDIAN);
  private static final byte ROWS = 0;
  private static final byte WAITING = 1;
  private static final int SECTION = Short.BYTES + Byte.BYTES + Integer.BYTES;
  private static final byte[] HEADER = header();

  /** Some thousand rows: few values in the state, and short arrays on the way there. */
  private static final int SIZE = 1 << 20;

  /** A key that waits, the smallest there is. */
  private static final int KEY = Long.BYTES + Integer.BYTES;

  /** Takes the bytes of a chunk that is full. */
  interface Taker {
    void take(byte[] chunk) throws IOException;
  }

  private final List<EmbeddingTable> tables;
  private final Taker taker;
  private final ByteBuffer bytes = ByteBuffer.allocate(SIZE);
  private int table;
  private byte kind;

  /** Numbers of rows, or keys, of the section that is not written yet. */
  private final long[] listed = new long[SIZE / KEY];

  private int count;

  RowChunk(List<EmbeddingTable> tables, Taker taker) {
    this.tables = tables;
    this.taker = taker;
    bytes.put(HEADER);
  }

  private static byte[] header() {
    ByteArrayOutputStream header = new ByteArrayOutputStream();
    try {
      LAYOUT.writeHeader(new DataOutputStream(header));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    return header.toByteArray();
  }

  /** Adds a row; it must stay as it is until {@link #flush}. */
  void row(int of, int row) throws IOException {
    EmbeddingTable from = tables.get(of);
    int floats = from.optimizer.slots() + from.first + from.width();
    add(of, ROWS, row, 22 + Float.BYTES * floats);
  }

  /** Adds a key that waits, or waits no more, as its table's index says at {@link #flush}. */
  void waiting(int of, long key) throws IOException {
    add(of, WAITING, key, KEY);
  }

  private void add(int of, byte wanted, long what, int size) throws IOException {
    if (of != table || wanted != kind) {
      endSection();
    }
    if (bytes.remaining() < SECTION + (count + 1) * size) {
      flush();
    }
    table = of;
    kind = wanted;
    listed[count++] = what;
  }

  private void endSection() {
    if (count > 0) {
      bytes.putShort((short) table).put(kind).putInt(count);
      if (kind == ROWS) {
        putRows(tables.get(table));
      } else {
        putKeys(tables.get(table).rows.index());
      }
      count = 0;
    }
  }

  private void putRows(EmbeddingTable from) {
    for (int i = 0; i < count; i++) {
      bytes.putInt((int) listed[i]);
    }
    for (int i = 0; i < count; i++) {
      bytes.putLong(from.rows.key((int) listed[i]));
    }
    for (int i = 0; i < count; i++) {
      bytes.putLong(from.seen[RowSlabs.slab((int) listed[i])][RowSlabs.place((int) listed[i])]);
    }
    for (int i = 0; i < count; i++) {
      bytes.putShort(from.fieldOf[RowSlabs.slab((int) listed[i])][RowSlabs.place((int) listed[i])]);
    }
    putFloats(from, from.width(), from.optimizer.slots());
    putFloats(from, from.width() + from.optimizer.slots(), from.first);
    putFloats(from, 0, from.width());
  }

  /** Of each row so many floats, which start so far behind it. */
  private void putFloats(EmbeddingTable from, int start, int many) {
    for (int i = 0; i < count; i++) {
      int row = (int) listed[i];
      put(from.rows.values(row), from.rows.at(row) + start, many);
    }
  }

  private void put(float[] floats, int at, int many) {
    byte[] into = bytes.array();
    int position = bytes.position();
    for (int i = at; i < at + many; i++) {
      FLOATS.set(into, position, floats[i]);
      position += Float.BYTES;
    }
    bytes.position(position);
  }

  private void putKeys(KeyMap index) {
    for (int i = 0; i < count; i++) {
      bytes.putLong(listed[i]);
    }
    for (int i = 0; i < count; i++) {
      int value = index.get(listed[i]);
      bytes.putInt(value == KeyMap.MISSING || value >= 0 ? 0 : value);
    }
  }

  /** Hands on what there is, if anything. */
  void flush() throws IOException {
    endSection();
    if (bytes.position() > HEADER.length) {
      taker.take(Arrays.copyOf(bytes.array(), bytes.position()));
      bytes.position(HEADER.length);
    }
  }

  /** Puts all that a chunk has into tables that are being restored. */
  static void read(byte[] chunk, List<RestoredRows> into) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(chunk);
    if (in.remaining() < HEADER.length
        || !Arrays.equals(chunk, 0, HEADER.length - 1, HEADER, 0, HEADER.length - 1)) {
      throw new IOException("these bytes are no " + LAYOUT.name());
    }
    LAYOUT.check(chunk[HEADER.length - 1]);
    in.position(HEADER.length);
    try {
      while (in.hasRemaining()) {
        RestoredRows table = into.get(in.getShort());
        byte kind = in.get();
        int count = in.getInt();
        if (kind == ROWS) {
          table.rows(in, count);
        } else {
          table.waiting(in, count);
        }
      }
    } catch (BufferUnderflowException | IndexOutOfBoundsException | NegativeArraySizeException e) {
      throw new IOException("these bytes are no whole " + LAYOUT.name(), e);
    }
  }
}
