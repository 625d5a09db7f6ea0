package dev.freshet.core.rows;

import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.features.FeatureField;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.BitSet;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The embedding rows of all fields of one size as they were published, in the host's memory. They
 * change by what {@link #base} and {@link #delta} give, and nothing is learnt.
 */
public final class ServedRows implements RowSource, EmbeddingRows, PublishedRows {

  private final int dim;
  private final RowSlabs rows;
  private final long[] unknownKeys;
  private final int[] unknownRows;

  /**
   * Rows of zeros for unknown values, and no others.
   *
   * @param first number of first-order weights behind each embedding
   * @param fields the fields whose rows live here
   */
  public ServedRows(int dim, int first, List<FeatureField> fields) {
    this.dim = dim;
    rows = new RowSlabs(dim + first, 0);
    unknownKeys = fields.stream().mapToLong(FeatureEncoder::unknownKey).toArray();
    unknownRows = new int[unknownKeys.length];
    for (int field = 0; field < unknownKeys.length; field++) {
      int row = row(unknownKeys[field]);
      unknownRows[field] = row < 0 ? add(unknownKeys[field]) : row;
    }
  }

  @Override
  public int dim() {
    return dim;
  }

  @Override
  public int width() {
    return rows.width();
  }

  @Override
  public int size() {
    return rows.size();
  }

  @Override
  public void look(long[] keys, int from, int to, int[] found) {
    rows.index().getAll(keys, from, to, found);
  }

  @Override
  public int find(long key, int field) {
    int row = row(key);
    return row >= 0 ? row : unknownRows[field];
  }

  @Override
  public boolean isUnknown(int row, int field) {
    return row == unknownRows[field];
  }

  @Override
  public void read(int row, FloatBuffer into) {
    rows.read(row, into);
  }

  @Override
  public void eachRow(Visitor visitor) throws IOException {
    rows.each(visitor);
  }

  @Override
  public Runnable base(LongBuffer keys, FloatBuffer values) {
    return RowUpdate.base(this, keys, values);
  }

  @Override
  public Runnable delta(LongBuffer dropped, LongBuffer keys, FloatBuffer values) {
    return RowUpdate.delta(this, dropped, keys, values);
  }

  /** The row of a key; negative if it has none. */
  int row(long key) {
    return rows.index().get(key);
  }

  /** True if a key has a row, with just these values. */
  boolean hasRow(long key, FloatBuffer expected, int at) {
    int row = row(key);
    if (row < 0) {
      return false;
    }
    float[] slab = rows.values(row);
    int start = rows.at(row);
    for (int i = 0; i < width(); i++) {
      if (slab[start + i] != expected.get(at + i)) {
        return false;
      }
    }
    return true;
  }

  /** Keys that have a row and are not among {@code wanted}. */
  long[] keysNotIn(LongBuffer wanted) {
    BitSet kept = new BitSet(rows.used());
    for (int i = 0; i < wanted.limit(); i++) {
      int row = row(wanted.get(i));
      if (row >= 0) {
        kept.set(row);
      }
    }
    LongStream.Builder others = LongStream.builder();
    for (int row = 0; row < rows.used(); row++) {
      if (rows.key(row) != 0 && !kept.get(row)) {
        others.add(rows.key(row));
      }
    }
    return others.build().toArray();
  }

  void remove(long key) {
    rows.remove(row(key));
  }

  int add(long key) {
    return rows.add(key);
  }

  void set(int row, FloatBuffer from, int at) {
    rows.set(row, from, at);
  }
}
