package dev.freshet.replica;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.network.ModelContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.CompressionType;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.Snapshot;

/**
 * The embedding rows of a version on local disk, in RocksDB, for models larger than memory: what is
 * asked for often stays in a cache of a fixed size. A delta is one atomic write, during which the
 * version before is read through a snapshot; a base is written into a second database beside the
 * first, which it then replaces.
 *
 * <p>The version's manifest and dense weights are written with its rows ({@link RowBytes}), so that
 * the database is a version at every moment, and after a crash.
 *
 * <p>Compiled against rocksdbjni, of which only what Flink's own build of RocksDB has too is used:
 * where that is on the class path, it serves.
 */
final class RowDatabase implements AutoCloseable {

  private static final int BLOOM_BITS = 10;
  private static final int BLOCK = 1024;

  /** Bytes of deltas that are held in memory until they are sorted into a file. */
  private static final long WRITE_BUFFER = 16 << 20;

  static {
    RocksDB.loadLibrary();
  }

  private final Path folder;
  private final Cache cache;
  private final Options options;
  private final ReadOptions reading = new ReadOptions();
  private final List<StoredRows> tables = new ArrayList<>();

  /** Databases that no one reads; closing and deleting them is no part of a swap. */
  private final List<OpenDatabase> left = new ArrayList<>();

  /** The database that is read, as {@link #reading} sees it; null until there is a version. */
  private @Nullable OpenDatabase current;

  /**
   * @param folder of the databases, of which there are two while a base is written
   * @param cacheBytes memory for rows that are asked for often
   */
  RowDatabase(Path folder, long cacheBytes, ModelContext context) throws IOException {
    this.folder = Files.createDirectories(folder);
    cache = new LRUCache(cacheBytes);
    // Uncompressed blocks are read where the system has mapped them; what stays in memory for sure
    // are single rows.
    options =
        new Options()
            .setCreateIfMissing(true)
            .setCompressionType(CompressionType.NO_COMPRESSION)
            .setAllowMmapReads(true)
            .setWriteBufferSize(WRITE_BUFFER)
            .setRowCache(cache)
            .setTableFormatConfig(
                new BlockBasedTableConfig()
                    .setNoBlockCache(true)
                    .setBlockSize(BLOCK)
                    .setFilterPolicy(new BloomFilter(BLOOM_BITS)));
    context.tables(
        (dim, first, fields) ->
            tables.add(new StoredRows(this, tables.size(), dim, first, fields)));
    try {
      reopen();
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Opens the newest database that is a version; deletes what was left half written. */
  private void reopen() throws IOException {
    List<Path> found;
    try (Stream<Path> all = Files.list(folder)) {
      found = all.filter(Files::isDirectory).sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : found) {
      OpenDatabase open = current == null ? OpenDatabase.open(options, path) : null;
      if (open != null && open.get(RowBytes.MANIFEST) != null) {
        use(open);
      } else if (open != null) {
        open.delete();
      } else {
        Folders.delete(path);
      }
    }
  }

  /**
   * Reads what is held in memory of the version that is there, once it is known to be of this
   * model.
   *
   * @throws IOException if rows are of another size
   */
  void readUnknown() throws IOException {
    for (StoredRows table : tables) {
      table.readUnknown(inUse());
    }
  }

  /** The manifest of the version that is there. */
  Optional<byte[]> manifest() {
    return current == null ? Optional.empty() : Optional.of(current.get(RowBytes.MANIFEST));
  }

  private OpenDatabase inUse() {
    return requireNonNull(current, "there is no version yet");
  }

  /** The dense weights of the version that is there. */
  byte[] dense() {
    return inUse().get(RowBytes.DENSE);
  }

  /** Values of keys as the version in use has them, null where there is none. */
  List<byte[]> read(List<byte[]> keys) {
    return inUse().get(reading, keys);
  }

  /** Where to read rows, in the order of their dims. */
  List<StoredRows> tables() {
    return List.copyOf(tables);
  }

  /** Begins a version: a delta of the one that is there, or a base. */
  Preparation begin(boolean isDelta) throws IOException {
    clear();
    return isDelta
        ? new DeltaPreparation(this, inUse())
        : new BasePreparation(
            this, options, OpenDatabase.open(options, folder.resolve(nextName())));
  }

  /** In order of the names, the newest last. */
  private String nextName() {
    long number =
        current == null
            ? 0
            : Long.parseLong(current.folder().getFileName().toString().substring(5)) + 1;
    return "rows-%09d".formatted(number);
  }

  /** From now on this database is read. */
  void use(OpenDatabase next) {
    Snapshot old = reading.snapshot();
    reading.setSnapshot(next.db().getSnapshot());
    if (current != null) {
      current.db().releaseSnapshot(old);
      if (current != next) {
        leave(current);
      }
    }
    current = next;
  }

  /** A database that no one reads is deleted when there is time. */
  void leave(OpenDatabase unused) {
    left.add(unused);
  }

  /** Deletes what was left. */
  void clear() throws IOException {
    for (OpenDatabase unused : left) {
      unused.delete();
    }
    left.clear();
  }

  /** Closes it and deletes what is on disk. */
  void destroy() throws IOException {
    close();
    Folders.delete(folder);
  }

  @Override
  public void close() throws IOException {
    clear();
    if (current != null) {
      current.db().releaseSnapshot(reading.snapshot());
      current.db().close();
      current = null;
    }
    reading.close();
    options.close();
    cache.close();
  }
}
