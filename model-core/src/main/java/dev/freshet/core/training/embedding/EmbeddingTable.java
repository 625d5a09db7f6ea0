package dev.freshet.core.training.embedding;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Layout;
import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.features.FeatureField;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The embedding rows of all fields of one size, on the host and outside the autograd graph. Keys
 * find rows in an open-addressing map; rows and optimiser slots lie in slabs of a fixed number of
 * rows, so the table grows without copying itself. A step touches the rows of its batch and nothing
 * else: its cost does not depend on the table's size.
 *
 * <p>A key gets a row of its own at its {@code admit-after}-th sighting; it starts as a copy of its
 * field's row for unknown values, which all rarer and unseen keys share, in the trainer and in the
 * replica. Rows of fields with {@code expire-after} are dropped by event time.
 *
 * <p>Behind an embedding a row may have first-order weights, which start at zero. {@link
 * RowOptimizer} and {@link FirstOrder} say how they learn.
 */
public final class EmbeddingTable implements RowSource {

  private static final Layout LAYOUT = new Layout("freshet.embedding-table", 3);
  private static final int SLAB_BITS = 12;
  private static final int SLAB = 1 << SLAB_BITS;
  private static final int IN_SLAB = SLAB - 1;
  private static final float SPREAD = 0.05f;
  private static final long DAY = 24 * 60 * 60 * 1000L;

  /** What {@link #eachRow} calls. */
  public interface RowVisitor {
    /**
     * @param at where the row starts in {@code values}
     */
    void row(long key, float[] values, int at) throws IOException;
  }

  private final int dim;
  private final int first;
  private final int width;
  private final RowOptimizer optimizer;
  private final FirstOrder firstOrder;
  private final List<FeatureField> fields;
  private final int[] unknownRows;

  private final KeyMap rows = new KeyMap();
  private float[][] values = {};
  private float[][] slots = {};

  /** Of first-order weights, each its own. */
  private float[][] firstSquares = {};

  private long[][] keys = {};
  private long[][] seen = {};
  private short[][] fieldOf = {};
  private int used;
  private int[] free = new int[16];
  private int freeCount;
  private int expireAt;

  /** Rows and keys that changed since {@link #published}; no part of the checkpoint. */
  private final Changes changes = new Changes();

  /** Values as of {@link #keep}; null if nobody asked. No part of the checkpoint. */
  private KeptRows kept;

  /**
   * @param first number of first-order weights behind each embedding
   * @param fields the fields whose rows live here; their order is part of the snapshot
   */
  public EmbeddingTable(
      int dim,
      int first,
      List<FeatureField> fields,
      RowOptimizer optimizer,
      FirstOrder firstOrder) {
    if (fields.size() > Short.MAX_VALUE) {
      throw new IllegalArgumentException("more than 32767 fields of one size: " + fields.size());
    }
    this.dim = dim;
    this.first = first;
    width = dim + first;
    this.optimizer = optimizer;
    this.firstOrder = firstOrder;
    this.fields = List.copyOf(fields);
    unknownRows = new int[fields.size()];
    for (int field = 0; field < unknownRows.length; field++) {
      long key = FeatureEncoder.unknownKey(fields.get(field));
      unknownRows[field] = rows.get(key);
      // Fields that use each other's rows have one in common.
      if (unknownRows[field] < 0) {
        unknownRows[field] = newRow(key, field, Long.MAX_VALUE);
        fill(unknownRows[field], key);
      }
      // Of numbers: these come with every impression, and are there from the start.
      for (long value : FeatureEncoder.valueKeys(fields.get(field))) {
        fill(newRow(value, field, Long.MAX_VALUE), value);
      }
    }
  }

  /** Size of an embedding. */
  public int dim() {
    return dim;
  }

  @Override
  public int width() {
    return width;
  }

  /** Rows in use, those for unknown values included. */
  public int size() {
    return used - freeCount;
  }

  @Override
  public int find(long key, int field) {
    int row = rows.get(key);
    return row >= 0 ? row : unknownRows[field];
  }

  @Override
  public boolean isUnknown(int row, int field) {
    return row == unknownRows[field];
  }

  /** As {@link #find}, and counts as a sighting: the key may get its row now. */
  public int sight(long key, int field, long eventTime) {
    int row = rows.get(key);
    if (row >= 0) {
      long[] times = seen[row >> SLAB_BITS];
      times[row & IN_SLAB] = Math.max(times[row & IN_SLAB], eventTime);
      return row;
    }
    int sightings = row == KeyMap.MISSING ? 1 : sightings(row) + 1;
    if (sightings < fields.get(field).admitAfter()) {
      rows.put(key, waiting(sightings, eventTime));
      return unknownRows[field];
    }
    int admitted = newRow(key, field, eventTime);
    copyRow(unknownRows[field], admitted);
    if (kept != null) {
      kept.started(admitted, values[admitted >> SLAB_BITS], (admitted & IN_SLAB) * width);
    }
    return admitted;
  }

  // A key that waits for admission is a negative value: day of its last sighting and their number.
  private static int waiting(int sightings, long eventTime) {
    int day = (int) Math.max(0, Math.min(eventTime / DAY, (1 << 22) - 1));
    return ~(day << 8 | sightings);
  }

  private static int sightings(int waiting) {
    return ~waiting & 0xFF;
  }

  private static long day(int waiting) {
    return ~waiting >>> 8;
  }

  @Override
  public void read(int row, FloatBuffer into) {
    into.put(values[row >> SLAB_BITS], (row & IN_SLAB) * width, width);
  }

  /**
   * One step on a row; what has a gradient of zero is left untouched.
   *
   * @param gradient of the mean loss over a batch
   * @param at where the row's gradient starts
   * @param examples what the mean is taken over: the step is one by the sum
   * @param pace of each first-order weight, 0 to 1
   */
  public void update(int row, FloatBuffer gradient, int at, float examples, float... pace) {
    int slab = row >> SLAB_BITS;
    int place = row & IN_SLAB;
    if (kept != null) {
      kept.save(row, values[slab], place * width);
    }
    boolean moved =
        optimizer.step(
            values[slab],
            place * width,
            slots[slab],
            place * optimizer.slots(),
            gradient,
            at,
            examples);
    moved |= updateFirst(slab, place, gradient, at + dim, examples, pace);
    if (moved) {
      changes.touch(row);
    }
  }

  private boolean updateFirst(
      int slab, int place, FloatBuffer gradient, int at, float examples, float[] pace) {
    if (firstOrder.rate() == 0) {
      return false;
    }
    float[] weights = values[slab];
    float[] accumulators = firstSquares[slab];
    boolean moved = false;
    for (int i = 0; i < first; i++) {
      float g = gradient.get(at + i) * examples;
      if (g != 0) {
        accumulators[place * first + i] += g * g;
        weights[place * width + dim + i] -=
            pace[i] * firstOrder.step(accumulators[place * first + i]) * g;
        moved = true;
      }
    }
    return moved;
  }

  /**
   * Drops rows, and keys that wait for theirs, that were not seen within their field's limit. Looks
   * at one slab a call and starts over at the end, so the cost of a call is bounded.
   *
   * @return how many rows went
   */
  public int expire(long now) {
    if (values.length == 0 || fields.stream().noneMatch(f -> f.expireAfter() != null)) {
      return 0;
    }
    int slab = expireAt++ % values.length;
    if (slab == 0) {
      forgetWaiting(now);
    }
    int gone = 0;
    for (int i = 0; i < SLAB; i++) {
      int row = slab * SLAB + i;
      if (row < used && keys[slab][i] != 0 && expired(fieldOf[slab][i], seen[slab][i], now)) {
        rows.remove(keys[slab][i]);
        changes.drop(keys[slab][i]);
        keys[slab][i] = 0;
        release(row);
        gone++;
      }
    }
    return gone;
  }

  private boolean expired(int field, long lastSeen, long now) {
    FeatureField of = fields.get(field);
    return of.expireAfter() != null
        && lastSeen != Long.MAX_VALUE
        && lastSeen < now - of.expireAfter().toMillis();
  }

  private void forgetWaiting(long now) {
    long longest = 0;
    for (FeatureField field : fields) {
      longest = Math.max(longest, field.expireAfter() == null ? 0 : field.expireAfter().toMillis());
    }
    long before = (now - longest) / DAY;
    LongStream.Builder stale = LongStream.builder();
    rows.each(
        (key, value) -> {
          if (value < 0 && day(value) < before) {
            stale.add(key);
          }
        });
    stale.build().forEach(rows::remove);
  }

  private void release(int row) {
    if (freeCount == free.length) {
      free = Arrays.copyOf(free, freeCount * 2);
    }
    free[freeCount++] = row;
  }

  private int newRow(long key, int field, long eventTime) {
    int row = freeCount > 0 ? free[--freeCount] : used++;
    place(row, key, field, eventTime);
    rows.put(key, row);
    changes.touch(row);
    return row;
  }

  private void place(int row, long key, int field, long eventTime) {
    int slab = row >> SLAB_BITS;
    if (slab == values.length) {
      values = Arrays.copyOf(values, slab + 1);
      slots = Arrays.copyOf(slots, slab + 1);
      firstSquares = Arrays.copyOf(firstSquares, slab + 1);
      keys = Arrays.copyOf(keys, slab + 1);
      seen = Arrays.copyOf(seen, slab + 1);
      fieldOf = Arrays.copyOf(fieldOf, slab + 1);
      values[slab] = new float[SLAB * width];
      slots[slab] = new float[SLAB * optimizer.slots()];
      firstSquares[slab] = new float[SLAB * first];
      keys[slab] = new long[SLAB];
      seen[slab] = new long[SLAB];
      fieldOf[slab] = new short[SLAB];
    }
    int at = row & IN_SLAB;
    keys[slab][at] = key;
    seen[slab][at] = eventTime;
    fieldOf[slab][at] = (short) field;
    Arrays.fill(slots[slab], at * optimizer.slots(), (at + 1) * optimizer.slots(), 0);
    Arrays.fill(firstSquares[slab], at * first, (at + 1) * first, 0);
  }

  private void copyRow(int from, int to) {
    System.arraycopy(
        values[from >> SLAB_BITS],
        (from & IN_SLAB) * width,
        values[to >> SLAB_BITS],
        (to & IN_SLAB) * width,
        width);
  }

  // Start values come from the key, not from a generator, so they need no state of their own.
  private void fill(int row, long key) {
    long state = key;
    float[] slab = values[row >> SLAB_BITS];
    for (int i = 0; i < dim; i++) {
      state = state * 6364136223846793005L + 1442695040888963407L;
      slab[(row & IN_SLAB) * width + i] = SPREAD * ((state >> 40) / (float) (1 << 23));
    }
  }

  /** Remembers the rows' values as they are now, for {@link #swapKept}; what was kept is gone. */
  public void keep() {
    kept = new KeptRows(width);
  }

  /**
   * Exchanges the rows' values for those at {@link #keep}; the second call brings everything back.
   * Nothing may be updated in between. A key that got its row since then has the value of its
   * field's unknown ones of that time; one whose row expired stays unknown.
   */
  public void swapKept() {
    for (int place = 0; place < kept.count(); place++) {
      int row = kept.row(place);
      kept.swap(place, values[row >> SLAB_BITS], (row & IN_SLAB) * width);
    }
  }

  /** Visits every row in use, in order of its index. */
  public void eachRow(RowVisitor visitor) throws IOException {
    for (int row = 0; row < used; row++) {
      long key = keys[row >> SLAB_BITS][row & IN_SLAB];
      if (key != 0) {
        visitor.row(key, values[row >> SLAB_BITS], (row & IN_SLAB) * width);
      }
    }
  }

  /** Visits the rows that changed since {@link #published}, in the order of their first change. */
  public void eachTouched(RowVisitor visitor) throws IOException {
    for (int i = 0; i < changes.touchedCount(); i++) {
      int row = changes.touched(i);
      long key = keys[row >> SLAB_BITS][row & IN_SLAB];
      if (key != 0) {
        visitor.row(key, values[row >> SLAB_BITS], (row & IN_SLAB) * width);
      }
    }
  }

  /** Keys whose rows were dropped since {@link #published}; some may have a new one. */
  public long[] dropped() {
    return changes.dropped();
  }

  /** All that changed so far has been published. */
  public void published() {
    changes.clear();
  }

  /** The row of a key that has one of its own; negative if it has none. */
  int row(long key) {
    return rows.get(key);
  }

  /** Whether a key has a row of its own, with just these values. */
  boolean hasRow(long key, FloatBuffer expected, int at) {
    int row = rows.get(key);
    if (row < 0) {
      return false;
    }
    float[] slab = values[row >> SLAB_BITS];
    int start = (row & IN_SLAB) * width;
    for (int i = 0; i < width; i++) {
      if (slab[start + i] != expected.get(at + i)) {
        return false;
      }
    }
    return true;
  }

  /** Keys that have a row and are not among {@code wanted}. */
  long[] keysNotIn(LongBuffer wanted) {
    BitSet kept = new BitSet(used);
    for (int i = 0; i < wanted.limit(); i++) {
      int row = rows.get(wanted.get(i));
      if (row >= 0) {
        kept.set(row);
      }
    }
    LongStream.Builder others = LongStream.builder();
    for (int row = 0; row < used; row++) {
      long key = keys[row >> SLAB_BITS][row & IN_SLAB];
      if (key != 0 && !kept.get(row)) {
        others.add(key);
      }
    }
    return others.build().toArray();
  }

  /** Drops a row; for consumers. */
  void removeRow(long key) {
    int row = rows.get(key);
    rows.remove(key);
    keys[row >> SLAB_BITS][row & IN_SLAB] = 0;
    release(row);
  }

  /** A new row, of whatever values; for consumers, which never update rows. */
  int addRow(long key) {
    int row = newRow(key, 0, Long.MAX_VALUE);
    changes.clear();
    return row;
  }

  /** Sets a row's values. */
  void setRow(int row, FloatBuffer from, int at) {
    from.get(at, values[row >> SLAB_BITS], (row & IN_SLAB) * width, width);
  }

  /**
   * Writes everything that {@link #restore} needs to go on as if it had never stopped.
   *
   * <pre>
   * byte version = 3 | count dim | count first (from version 2) | (from version 3) optimiser's name | count its slots
   * | int used | int free, each: int row | int expire position
   * | per used row: long key | long seen | count field | floats slots | first floats first squares
   * | dim + first floats of every used row | int waiting keys, each: long key | int value
   * </pre>
   */
  public void write(DataOutput out) throws IOException {
    LAYOUT.writeVersion(out);
    Bytes.writeCount(out, dim);
    Bytes.writeCount(out, first);
    out.writeUTF(optimizer.kind().toString());
    Bytes.writeCount(out, optimizer.slots());
    out.writeInt(used);
    out.writeInt(freeCount);
    for (int i = 0; i < freeCount; i++) {
      out.writeInt(free[i]);
    }
    out.writeInt(expireAt);
    for (int row = 0; row < used; row++) {
      int slab = row >> SLAB_BITS;
      int at = row & IN_SLAB;
      out.writeLong(keys[slab][at]);
      out.writeLong(seen[slab][at]);
      // One byte, as it always was, up to 127.
      Bytes.writeCount(out, fieldOf[slab][at]);
      for (int i = 0; i < optimizer.slots(); i++) {
        out.writeFloat(slots[slab][at * optimizer.slots() + i]);
      }
      for (int i = 0; i < first; i++) {
        out.writeFloat(firstSquares[slab][at * first + i]);
      }
    }
    for (int row = 0; row < used; row += SLAB) {
      int count = Math.min(SLAB, used - row);
      Bytes.writeAll(out, FloatBuffer.wrap(values[row >> SLAB_BITS]), count * width);
    }
    writeWaiting(out);
  }

  private void writeWaiting(DataOutput out) throws IOException {
    long[] waitingKeys = new long[rows.size()];
    int[] waitingValues = new int[rows.size()];
    int[] count = {0};
    rows.each(
        (key, value) -> {
          if (value < 0) {
            waitingKeys[count[0]] = key;
            waitingValues[count[0]++] = value;
          }
        });
    out.writeInt(count[0]);
    for (int i = 0; i < count[0]; i++) {
      out.writeLong(waitingKeys[i]);
      out.writeInt(waitingValues[i]);
    }
  }

  /**
   * Replaces the contents by what {@link #write} wrote. What another optimiser remembers of
   * embeddings is of no use: they are kept, the optimiser starts anew.
   *
   * @param examples in a batch of before first-order weights, when gradients were means over one
   * @return the name of the optimiser that the embeddings were learnt with
   */
  public String restore(DataInput in, float examples) throws IOException {
    int version = LAYOUT.readVersion(in);
    int writtenDim = Bytes.readCount(in);
    // Rows of before had no first-order weights: these start at zero, which changes no prediction.
    int writtenFirst = version < 2 ? 0 : Bytes.readCount(in);
    if (writtenDim != dim || version >= 2 && writtenFirst != first) {
      throw new IOException(
          "rows of "
              + writtenDim
              + " + "
              + writtenFirst
              + " floats do not fit a table of "
              + dim
              + " + "
              + first);
    }
    // There was one alone once.
    String learntWith = version < 3 ? RowOptimizers.ADAGRAD.toString() : in.readUTF();
    int written = version < 3 ? 1 : Bytes.readCount(in);
    boolean same = learntWith.equals(optimizer.kind().toString());
    kept = null;
    rows.clear();
    used = 0;
    freeCount = 0;
    int count = in.readInt();
    int freeRows = in.readInt();
    int[] freeList = new int[Math.max(16, freeRows)];
    for (int i = 0; i < freeRows; i++) {
      freeList[i] = in.readInt();
    }
    expireAt = in.readInt();
    for (int row = 0; row < count; row++) {
      long key = in.readLong();
      long lastSeen = in.readLong();
      int field = Bytes.readCount(in);
      place(used++, key, field, lastSeen);
      for (int i = 0; i < written; i++) {
        float slot = in.readFloat();
        if (same) {
          slots[row >> SLAB_BITS][(row & IN_SLAB) * written + i] =
              version < 2 ? slot * examples * examples : slot;
        }
      }
      for (int i = 0; i < writtenFirst; i++) {
        firstSquares[row >> SLAB_BITS][(row & IN_SLAB) * first + i] = in.readFloat();
      }
      // An expired row has key 0: it keeps its place so that indices stay what they were.
      if (key != 0) {
        rows.put(key, row);
      }
    }
    for (int row = 0; row < used; row += SLAB) {
      int size = Math.min(SLAB, used - row);
      float[] slab = values[row >> SLAB_BITS];
      if (version < 2) {
        for (int i = 0; i < size; i++) {
          Bytes.readAll(in, FloatBuffer.wrap(slab, i * width, dim).slice(), dim);
        }
      } else {
        Bytes.readAll(in, FloatBuffer.wrap(slab), size * width);
      }
    }
    free = freeList;
    freeCount = freeRows;
    int waitingCount = in.readInt();
    for (int i = 0; i < waitingCount; i++) {
      rows.put(in.readLong(), in.readInt());
    }
    for (int field = 0; field < unknownRows.length; field++) {
      unknownRows[field] = rows.get(FeatureEncoder.unknownKey(fields.get(field)));
    }
    return learntWith;
  }
}
