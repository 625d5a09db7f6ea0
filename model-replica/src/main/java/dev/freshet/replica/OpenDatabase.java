package dev.freshet.replica;

import dev.freshet.core.snapshot.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/** A database of RocksDB that is open, with where it is and what its failures mean. */
record OpenDatabase(RocksDB db, Path folder) {

  static OpenDatabase open(Options options, Path folder) throws IOException {
    try {
      return new OpenDatabase(RocksDB.open(options, folder.toString()), folder);
    } catch (RocksDBException e) {
      throw problem(folder.toString(), e);
    }
  }

  /**
   * An exception for what went wrong, told apart: a disk that is full or fails is not a version
   * that cannot be used.
   */
  static IOException problem(String what, RocksDBException e) {
    String message = what + ": " + e.getMessage();
    Status status = e.getStatus();
    boolean disk = status != null && status.getCode() == Status.Code.IOError;
    return disk ? new StorageException(message, e) : new IOException(message, e);
  }

  /** The newest value of a key; null if it has none. */
  byte[] get(byte[] key) {
    try {
      return db.get(key);
    } catch (RocksDBException e) {
      throw unreadable(e);
    }
  }

  /** Values of many keys with one call, null where there is none. */
  List<byte[]> get(ReadOptions reading, List<byte[]> keys) {
    try {
      return db.multiGetAsList(reading, keys);
    } catch (RocksDBException e) {
      throw unreadable(e);
    }
  }

  private static IllegalStateException unreadable(RocksDBException e) {
    return new IllegalStateException("rows cannot be read: " + e.getMessage(), e);
  }

  /**
   * Makes it a version with one atomic write.
   *
   * @param rows that go with it
   * @param dense empty if the dense weights that are there stay
   */
  void write(WriteBatch rows, byte[] manifest, Optional<byte[]> dense) throws IOException {
    try (WriteOptions options = new WriteOptions()) {
      rows.put(RowBytes.MANIFEST, manifest);
      if (dense.isPresent()) {
        rows.put(RowBytes.DENSE, dense.get());
      }
      db.write(options, rows);
    } catch (RocksDBException e) {
      throw problem("rows cannot be written", e);
    }
  }

  void delete() throws IOException {
    db.close();
    Folders.delete(folder);
  }
}
