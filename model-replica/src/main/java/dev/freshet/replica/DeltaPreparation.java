package dev.freshet.replica;

import dev.freshet.core.rows.PublishedRows;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.List;
import java.util.Optional;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/** A delta as one atomic write to the database whose version it builds on. */
final class DeltaPreparation implements Preparation {

  private final RowDatabase owner;
  private final OpenDatabase into;
  private final WriteBatch batch = new WriteBatch();

  DeltaPreparation(RowDatabase owner, OpenDatabase into) {
    this.owner = owner;
    this.into = into;
  }

  @Override
  public List<PublishedRows> tables() {
    return owner.tables().stream().<PublishedRows>map(Table::new).toList();
  }

  @Override
  public Runnable write(byte[] manifest, Optional<byte[]> dense) throws IOException {
    into.write(batch, manifest, dense);
    return () -> owner.use(into);
  }

  @Override
  public void close() {
    batch.close();
  }

  private final class Table extends PreparedRows {
    private Table(StoredRows rows) {
      super(rows);
    }

    @Override
    public Runnable base(LongBuffer keys, FloatBuffer values) {
      throw new IllegalStateException("a delta is prepared, to which rows of before belong");
    }

    @Override
    public Runnable delta(LongBuffer dropped, LongBuffer keys, FloatBuffer values)
        throws IOException {
      RowBytes bytes = rows.bytes();
      try {
        for (int i = 0; i < dropped.limit(); i++) {
          batch.delete(bytes.key(dropped.get(i)));
        }
        for (int i = 0; i < keys.limit(); i++) {
          batch.put(bytes.key(keys.get(i)), bytes.value(values, i));
        }
        return rows.unknownAmong(keys, values);
      } catch (RocksDBException e) {
        throw OpenDatabase.problem("rows cannot be written", e);
      }
    }
  }
}
