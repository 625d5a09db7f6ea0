package dev.freshet.replica;

import dev.freshet.core.rows.PublishedRows;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.rocksdb.EnvOptions;
import org.rocksdb.IngestExternalFileOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileWriter;
import org.rocksdb.WriteBatch;

/** A base on its way into a database beside the one that is read, which it then replaces. */
final class BasePreparation implements Preparation {

  private final RowDatabase owner;
  private final Options options;
  private final OpenDatabase into;
  private boolean inUse;

  BasePreparation(RowDatabase owner, Options options, OpenDatabase into) {
    this.owner = owner;
    this.options = options;
    this.into = into;
  }

  @Override
  public List<PublishedRows> tables() {
    return owner.tables().stream().<PublishedRows>map(Table::new).toList();
  }

  @Override
  public Runnable write(byte[] manifest, Optional<byte[]> dense) throws IOException {
    try (WriteBatch batch = new WriteBatch()) {
      into.write(batch, manifest, dense);
    }
    return () -> {
      owner.use(into);
      inUse = true;
    };
  }

  @Override
  public void close() throws IOException {
    if (!inUse) {
      owner.leave(into);
      owner.clear();
    }
  }

  /** Writes a sorted file and hands it to the database whole: no log, no buffer, no merging. */
  private final class Table extends PreparedRows {
    private Table(StoredRows rows) {
      super(rows);
    }

    @Override
    public Runnable base(LongBuffer keys, FloatBuffer values) throws IOException {
      RowBytes bytes = rows.bytes();
      Path file = into.folder().resolve("base-" + bytes.table() + ".sst");
      try (EnvOptions environment = new EnvOptions();
          SstFileWriter writer = new SstFileWriter(environment, options);
          IngestExternalFileOptions ingest = new IngestExternalFileOptions().setMoveFiles(true)) {
        writer.open(file.toString());
        for (int i : SortedKeys.order(keys)) {
          writer.put(bytes.key(keys.get(i)), bytes.value(values, i));
        }
        if (keys.limit() > 0) {
          writer.finish();
          into.db().ingestExternalFile(List.of(file.toString()), ingest);
        }
        return rows.unknownAmong(keys, values);
      } catch (RocksDBException e) {
        throw OpenDatabase.problem("rows cannot be written", e);
      }
    }

    @Override
    public Runnable delta(LongBuffer dropped, LongBuffer keys, FloatBuffer values) {
      throw new IllegalStateException("a base is prepared, which has no row yet to change");
    }
  }
}
