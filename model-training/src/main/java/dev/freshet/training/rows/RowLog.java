package dev.freshet.training.rows;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Layout;
import dev.freshet.core.rows.KeyMap;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The rows of a trainer's tables in a store that keeps what it was given: chunks, numbered in the
 * order in which they are written, of which each has rows as they were then. What was written last
 * of a row counts. Each {@link #save} writes what changed since the one before, and with it the
 * next rows of a walk over all of them, one for each that changed: a chunk of before the walk was
 * last where it is now has nothing that was not written again, and goes. So the log stays about
 * twice as large as the rows, and no save costs much more than what changed.
 *
 * <p>The chunks of one walk lie in one of two generations, those of the next in the other, so that
 * a store in which neighbours lie together never takes new ones where it drops old ones.
 *
 * <p>Its position is the owner's to keep, together with the store's contents:
 *
 * <pre>
 * header, see {@link Layout} | count tables | long walk | long place | long next chunk
 * | count chunks of the walk before, each: long place | count chunks of this walk, each: long place
 * </pre>
 */
public final class RowLog {

  private static final Layout LAYOUT = new Layout("freshet.row-log", 1);

  /**
   * Chunks go when they are one in so many: some at once, so that a store of sorted files does not
   * rewrite one again and again whose first chunks go, and often enough that it drops files soon.
   */
  private static final int REMOVED_OF = 16;

  /** The fewest at once, so that chunks stay few if little changes. */
  private static final int FEWEST = 4096;

  /** Slots of an index that cost about as much as a row, if keys wait in half of them. */
  private static final int SLOTS_OF_A_ROW = 32;

  private static final int BLOCK = 1024;

  /** Where chunks lie. */
  public interface Store {

    void put(int generation, long number, byte[] chunk) throws IOException;

    byte[] get(int generation, long number) throws IOException;

    void remove(int generation, long number) throws IOException;
  }

  private final List<EmbeddingTable> tables;

  /** Slots of the tables' indexes, to see that one grew. */
  private final int[] slots;

  /** True if the store has nothing that counts: all rows are to be written. */
  private boolean whole = true;

  private long walk;
  private long place;
  private long next;

  // Of each chunk in the store where the walk has to come, once around, until it may go.
  private ArrayDeque<Long> before = new ArrayDeque<>();
  private ArrayDeque<Long> now = new ArrayDeque<>();

  /**
   * @param tables those of one trainer, in an order that never changes; more may come at the end
   */
  public RowLog(List<EmbeddingTable> tables) {
    this.tables = List.copyOf(tables);
    slots = new int[tables.size()];
    tables.forEach(table -> table.unsaved.ask());
    clean();
  }

  private void clean() {
    for (int table = 0; table < slots.length; table++) {
      tables.get(table).unsaved.clear();
      slots[table] = tables.get(table).rows.index().slots();
    }
  }

  /** Writes what changed since the last time; nothing if nothing did. */
  public void save(Store store) throws IOException {
    long changed = tables.stream().mapToLong(table -> table.unsaved.count()).sum();
    if (!whole && changed == 0) {
      return;
    }
    // A row of the walk for each that changed: the log has at most twice as many as there are.
    long steps = Math.max(FEWEST, changed);
    if (whole || changed + steps >= entries()) {
      saveAll(store);
    } else {
      saveChanges(store, steps);
    }
    whole = false;
    clean();
  }

  private long entries() {
    return tables.stream().mapToLong(table -> table.rows.index().size()).sum();
  }

  private void saveAll(Store store) throws IOException {
    int gone = before.size() + now.size();
    long first = next - gone;
    long as = now.isEmpty() ? walk : walk + 1;
    Walk all = new Walk(store, as, 0);
    all.go(Long.MAX_VALUE);
    all.end();
    for (int i = 0; i < gone; i++) {
      store.remove(generation(i < before.size() ? walk - 1 : walk), first + i);
    }
    before = all.written;
    now = new ArrayDeque<>();
    next = all.number;
    walk = as + 1;
    place = 0;
  }

  private void saveChanges(Store store, long steps) throws IOException {
    for (int table = 0; table < slots.length; table++) {
      if (tables.get(table).rows.index().slots() != slots[table]) {
        grew(table);
      }
    }
    Walk some = new Walk(store, walk, place);
    some.go(steps);
    some.changes(place);
    some.end();
    now.addAll(some.written);
    boolean around = RowPlace.table(some.place) == tables.size();
    long oldest = next - before.size() - (now.size() - some.written.size());
    // In order: where a table grew, a later chunk may be passed before an earlier one.
    long passed = before.stream().takeWhile(chunk -> around || chunk <= some.place).count();
    if (around || passed * REMOVED_OF >= before.size() + now.size()) {
      for (int i = 0; i < passed; i++) {
        store.remove(generation(walk - 1), oldest + i);
        before.removeFirst();
      }
    }
    next = some.number;
    place = some.place;
    if (around) {
      before = now;
      now = new ArrayDeque<>();
      walk++;
      place = 0;
    }
  }

  /** Keys lie in other slots now: the walk through them begins again. */
  private void grew(int table) {
    if (RowPlace.table(place) == table && RowPlace.waiting(place)) {
      place = RowPlace.slot(table, 0);
    }
    before = grew(before, table);
    now = grew(now, table);
  }

  private static ArrayDeque<Long> grew(ArrayDeque<Long> chunks, int table) {
    ArrayDeque<Long> later = new ArrayDeque<>();
    for (long place : chunks) {
      boolean inside = RowPlace.table(place) == table && RowPlace.waiting(place);
      later.add(inside ? RowPlace.row(table + 1, 0) : place);
    }
    return later;
  }

  private static int generation(long walk) {
    return (int) (walk & 1);
  }

  /** A part of a walk, and the chunks that it writes. */
  private final class Walk {

    private final RowChunk chunk;
    private final ArrayDeque<Long> written = new ArrayDeque<>();
    private long place;
    private long number = next;

    Walk(Store store, long walk, long from) {
      place = from;
      chunk =
          new RowChunk(
              tables,
              bytes -> {
                store.put(generation(walk), number++, bytes);
                written.add(place);
              });
    }

    void go(long steps) throws IOException {
      long left = steps;
      while (left > 0 && RowPlace.table(place) < tables.size()) {
        left -= RowPlace.waiting(place) ? slots(left) : rows(left);
      }
    }

    private long rows(long most) throws IOException {
      int table = RowPlace.table(place);
      int from = RowPlace.number(place);
      int to = (int) Math.min(tables.get(table).rows.used(), from + most);
      for (int row = from; row < to; row++) {
        place = RowPlace.row(table, row);
        chunk.row(table, row);
      }
      boolean end = to == tables.get(table).rows.used();
      place = end ? RowPlace.slot(table, 0) : RowPlace.row(table, to);
      return to - from;
    }

    private long slots(long most) throws IOException {
      int table = RowPlace.table(place);
      KeyMap index = tables.get(table).rows.index();
      int from = RowPlace.number(place);
      int to = (int) Math.min(index.slots(), from + Math.min(most, index.slots()) * SLOTS_OF_A_ROW);
      for (int slot = from; slot < to; slot += BLOCK) {
        int end = Math.min(to, slot + BLOCK);
        // A chunk that is full before the block ends has to wait for all of it.
        place = RowPlace.slot(table, end);
        LongStream.Builder keys = LongStream.builder();
        index.each(
            slot,
            end,
            (key, value) -> {
              if (value < 0) {
                keys.add(key);
              }
            });
        waiting(table, keys);
      }
      place = to == index.slots() ? RowPlace.row(table + 1, 0) : RowPlace.slot(table, to);
      return Math.max(1, (to - from) / SLOTS_OF_A_ROW);
    }

    /** What changed, but for the rows that this part of the walk has just passed. */
    void changes(long from) throws IOException {
      for (int table = 0; table < tables.size(); table++) {
        Unsaved unsaved = tables.get(table).unsaved;
        for (int row : unsaved.rows().sorted()) {
          long at = RowPlace.row(table, row);
          if (at < from || at >= place) {
            chunk.row(table, row);
          }
        }
        LongStream.Builder keys = LongStream.builder();
        unsaved.keys().each((key, value) -> keys.add(key));
        waiting(table, keys);
      }
    }

    private void waiting(int table, LongStream.Builder keys) throws IOException {
      for (long key : keys.build().toArray()) {
        chunk.waiting(table, key);
      }
    }

    void end() throws IOException {
      chunk.flush();
    }
  }

  /** True if rows have to be read by {@link #restore} before anything else is done. */
  public boolean awaited() {
    return tables.stream().anyMatch(table -> table.head != null);
  }

  /** Where it is, after a {@link #save}. */
  public byte[] position() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    LAYOUT.writeHeader(out);
    Bytes.writeCount(out, tables.size());
    out.writeLong(walk);
    out.writeLong(place);
    out.writeLong(next);
    for (ArrayDeque<Long> chunks : List.of(before, now)) {
      Bytes.writeCount(out, chunks.size());
      for (long chunk : chunks) {
        out.writeLong(chunk);
      }
    }
    return bytes.toByteArray();
  }

  /**
   * Reads all rows into tables whose heads have been restored, and goes on from there.
   *
   * @param position as {@link #position} told
   * @throws IOException if they are not the rows of these tables
   */
  public void restore(byte[] position, Store store) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(position));
    LAYOUT.readHeader(in, 0);
    int known = Bytes.readCount(in);
    walk = in.readLong();
    place = in.readLong();
    next = in.readLong();
    before = chunks(in);
    now = chunks(in);
    List<RestoredRows> restored = new ArrayList<>();
    boolean same = known == tables.size();
    for (EmbeddingTable table : tables.subList(0, Math.min(known, tables.size()))) {
      EmbeddingTableLayout.Head head = table.head;
      if (head == null) {
        throw new IOException("there are saved rows of a table that has its rows already");
      }
      same &= head.fits(table);
      restored.add(new RestoredRows(table, head));
    }
    long number = next - before.size() - now.size();
    for (int i = 0; i < before.size() + now.size(); i++) {
      int generation = generation(i < before.size() ? walk - 1 : walk);
      RowChunk.read(store.get(generation, number + i), restored);
    }
    for (RestoredRows table : restored) {
      table.end();
    }
    // Indexes are laid out anew; slots that are of no use any more, and tables that are new, are
    // written with all the rest.
    for (int table = 0; table < slots.length; table++) {
      grew(table);
    }
    whole = !same;
    clean();
  }

  private static ArrayDeque<Long> chunks(DataInputStream in) throws IOException {
    ArrayDeque<Long> chunks = new ArrayDeque<>();
    int count = Bytes.readCount(in);
    for (int i = 0; i < count; i++) {
      chunks.add(in.readLong());
    }
    return chunks;
  }
}
