package dev.freshet.training.rows;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.pipeline.TrainingSettings;
import dev.freshet.core.rows.EmbeddingRows;
import dev.freshet.core.rows.KeyMap;
import dev.freshet.core.rows.RowSlabs;
import dev.freshet.core.rows.RowSource;
import dev.freshet.training.optimizer.RowOptimizer;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

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
public final class EmbeddingTable implements RowSource, EmbeddingRows {

  private static final float SPREAD = 0.05f;

  final int dim;
  final int first;
  private final int width;
  final RowOptimizer optimizer;
  private final FirstOrder firstOrder;
  private final List<FeatureField> fields;
  private final int[] unknownRows;

  /** Keys that wait for a row of their own are in its index too, as {@link Admission} says. */
  final RowSlabs rows;

  // Beside each slab of rows, by the same numbers.
  long[][] seen = {};
  short[][] fieldOf = {};
  int expireAt;

  /** Rows and keys that changed since {@link #published}; no part of the checkpoint. */
  private final Changes changes = new Changes();

  /** Of rows that are still to be read; null if all are there. */
  EmbeddingTableLayout.@Nullable Head head;

  /** No part of the checkpoint. */
  final Unsaved unsaved = new Unsaved();

  /** Values as of {@link #keep}; null if nobody asked. No part of the checkpoint. */
  private @Nullable KeptRows kept;

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
    rows = new RowSlabs(width, optimizer.slots() + first);
    this.optimizer = optimizer;
    this.firstOrder = firstOrder;
    this.fields = List.copyOf(fields);
    unknownRows = new int[fields.size()];
    for (int field = 0; field < unknownRows.length; field++) {
      long key = FeatureEncoder.unknownKey(fields.get(field));
      unknownRows[field] = rows.index().get(key);
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

  /** Empty ones: set by set, one for each group of the schema. */
  public static List<EmbeddingTable> of(
      ModelContext context, TrainingSettings.Embeddings settings) {
    FirstOrder firstOrder = new FirstOrder(settings.firstOrder());
    return context.tables(
        (dim, first, fields) ->
            new EmbeddingTable(dim, first, fields, RowOptimizer.of(settings, dim), firstOrder));
  }

  @Override
  public int dim() {
    return dim;
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public int size() {
    return rows.size();
  }

  @Override
  public int find(long key, int field) {
    int row = rows.index().get(key);
    return row >= 0 ? row : unknownRows[field];
  }

  @Override
  public boolean isUnknown(int row, int field) {
    return row == unknownRows[field];
  }

  @Override
  public void look(long[] keys, int from, int to, int[] found) {
    rows.index().getAll(keys, from, to, found);
  }

  @Override
  public boolean seen(int row, long eventTime) {
    long[] times = seen[RowSlabs.slab(row)];
    int place = RowSlabs.place(row);
    boolean anew = eventTime > times[place];
    if (anew) {
      times[place] = eventTime;
    }
    return anew;
  }

  @Override
  public void seenAnew(int row) {
    unsaved.row(row);
  }

  /** As {@link #find}, and counts as a sighting: the key may get its row now. */
  @Override
  public int sight(long key, int field, long eventTime) {
    int row = rows.index().get(key);
    if (row >= 0) {
      if (seen(row, eventTime)) {
        seenAnew(row);
      }
      return row;
    }
    if (row != KeyMap.MISSING || fields.get(field).admitAfter() > 1) {
      unsaved.key(key);
    }
    int sightings = row == KeyMap.MISSING ? 1 : Admission.sightings(row) + 1;
    if (sightings < fields.get(field).admitAfter()) {
      rows.index().put(key, Admission.waiting(sightings, eventTime));
      return unknownRows[field];
    }
    int admitted = newRow(key, field, eventTime);
    rows.copy(unknownRows[field], admitted);
    if (kept != null) {
      kept.started(admitted, rows.values(admitted), rows.at(admitted));
    }
    return admitted;
  }

  @Override
  public void read(int row, FloatBuffer into) {
    rows.read(row, into);
  }

  /**
   * One step on a row; what has a gradient of zero is left untouched.
   *
   * @param gradient of the mean loss over a batch
   * @param at where the row's gradient starts
   * @param examples number that the mean is taken over: the step is one by the sum
   * @param pace of each first-order weight, 0 to 1
   */
  public void update(int row, float[] gradient, int at, float examples, float... pace) {
    changing(row);
    if (step(row, gradient, at, examples, pace)) {
      touch(row);
    }
  }

  /** Comes before {@link #step}. */
  void changing(int row) {
    if (kept != null) {
      kept.save(row, rows.values(row), rows.at(row));
    }
  }

  /** A part of {@link #update}, which several threads may do at once, of rows that differ. */
  boolean step(int row, float[] gradient, int at, float examples, float... pace) {
    float[] values = rows.values(row);
    int start = rows.at(row);
    boolean moved = optimizer.step(values, start, values, start + width, gradient, at, examples);
    int squares = start + width + optimizer.slots();
    return moved
        | firstOrder.learn(values, start + dim, squares, gradient, at + dim, examples, pace, first);
  }

  /** Comes after a {@link #step} that moved the row. */
  void touch(int row) {
    changes.touch(row);
    unsaved.row(row);
  }

  /**
   * Drops rows, and keys that wait for theirs, that were not seen within their field's limit. Looks
   * at one slab a call and starts over at the end, so the cost of a call is bounded.
   *
   * @return how many rows went
   */
  public int expire(long now) {
    if (rows.slabs() == 0 || fields.stream().noneMatch(f -> f.expireAfter() != null)) {
      return 0;
    }
    int slab = expireAt++ % rows.slabs();
    if (slab == 0) {
      forgetWaiting(now);
    }
    int gone = 0;
    int end = Math.min(rows.used(), (slab + 1) * RowSlabs.SLAB);
    for (int row = slab * RowSlabs.SLAB; row < end; row++) {
      int place = RowSlabs.place(row);
      if (rows.key(row) != 0 && expired(fieldOf[slab][place], seen[slab][place], now)) {
        drop(row);
        gone++;
      }
    }
    return gone;
  }

  private void drop(int row) {
    changes.drop(rows.key(row));
    rows.remove(row, unsaved::moved);
    unsaved.row(row);
    blank(row, rows.used() - rows.size() - 1);
  }

  /**
   * Nothing is left of a row that is free but its place among the free ones, kept where a row's
   * last sighting is.
   */
  void blank(int row, int place) {
    startBeside(row, 0, place);
    Arrays.fill(rows.values(row), rows.at(row), rows.at(row) + width, 0);
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
    Admission.forget(rows.index(), now - longest, unsaved);
  }

  private int newRow(long key, int field, long eventTime) {
    int row = rows.add(key);
    startBeside(row, field, eventTime);
    touch(row);
    return row;
  }

  /** Starts all that lies beside a row, as it is of a new one. */
  void startBeside(int row, int field, long eventTime) {
    int slab = RowSlabs.slab(row);
    if (slab == seen.length) {
      seen = Arrays.copyOf(seen, slab + 1);
      fieldOf = Arrays.copyOf(fieldOf, slab + 1);
      seen[slab] = new long[RowSlabs.SLAB];
      fieldOf[slab] = new short[RowSlabs.SLAB];
    }
    int at = RowSlabs.place(row);
    seen[slab][at] = eventTime;
    fieldOf[slab][at] = (short) field;
    int beside = rows.at(row) + width;
    Arrays.fill(rows.values(row), beside, beside + optimizer.slots() + first, 0);
  }

  // Start values come from the key, not from a generator, so they need no state of their own.
  private void fill(int row, long key) {
    long state = key;
    for (int i = 0; i < dim; i++) {
      state = state * 6364136223846793005L + 1442695040888963407L;
      rows.values(row)[rows.at(row) + i] = SPREAD * ((state >> 40) / (float) (1 << 23));
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
    KeptRows then = requireNonNull(kept, "keep comes first");
    for (int place = 0; place < then.count(); place++) {
      int row = then.row(place);
      then.swap(place, rows.values(row), rows.at(row));
    }
  }

  @Override
  public void eachRow(Visitor visitor) throws IOException {
    rows.each(visitor);
  }

  /** Visits the rows that changed since {@link #published}, in the order of their first change. */
  public void eachTouched(Visitor visitor) throws IOException {
    for (int i = 0; i < changes.touchedCount(); i++) {
      rows.visit(changes.touched(i), visitor);
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

  /** Writes everything that {@link #restore} needs to go on as if it had never stopped. */
  public void write(DataOutput out) throws IOException {
    EmbeddingTableLayout.write(this, out);
  }

  /**
   * Replaces the contents by what {@link #write} wrote. What another optimiser remembers of
   * embeddings is of no use: they are kept, the optimiser starts anew.
   *
   * @param examples in a batch of before first-order weights, when gradients were means over one
   * @return the name of the optimiser that the embeddings were learnt with
   */
  public String restore(DataInput in, float examples) throws IOException {
    String learntWith = EmbeddingTableLayout.read(this, in, examples);
    restored();
    return learntWith;
  }

  /** All rows are there. */
  void restored() {
    head = null;
    kept = null;
    for (int field = 0; field < unknownRows.length; field++) {
      unknownRows[field] = rows.index().get(FeatureEncoder.unknownKey(fields.get(field)));
    }
  }

  /** As {@link #write}, but for the rows and the keys that wait for theirs: {@link RowLog}'s. */
  public void writeHead(DataOutput out) throws IOException {
    EmbeddingTableLayout.writeHead(this, out);
  }

  /** The inverse of {@link #writeHead}; {@link RowLog#restore} has to follow. */
  public String restoreHead(DataInput in) throws IOException {
    head = EmbeddingTableLayout.readHead(this, in);
    return head.optimizer();
  }
}
