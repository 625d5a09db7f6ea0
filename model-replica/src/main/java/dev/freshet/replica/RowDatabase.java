package dev.freshet.replica;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.rows.KeyMap;
import dev.freshet.core.rows.PublishedRows;
import dev.freshet.core.rows.RowSource;
import dev.freshet.core.snapshot.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.CompressionType;
import org.rocksdb.EnvOptions;
import org.rocksdb.IngestExternalFileOptions;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.Snapshot;
import org.rocksdb.SstFileWriter;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * The embedding rows of a version on local disk, in RocksDB, for models larger than memory: what is
 * asked for often stays in a cache of a fixed size. A delta is one atomic write, during which the
 * version before is read through a snapshot; a base is written into a second database beside the
 * first, which it then replaces.
 *
 * <p>Beside the rows there are the version's manifest and dense weights, written with them, so that
 * the database is a version at every moment, and after a crash.
 *
 * <pre>
 * key byte table | long row key, big-endian      value floats, little-endian
 * key byte -1 | 'm'                              value manifest, JSON
 * key byte -1 | 'd'                              value dense weights, safetensors
 * </pre>
 *
 * <p>Compiled against rocksdbjni, of which only what Flink's own build of RocksDB has too is used:
 * where that is on the class path, it serves.
 */
final class RowDatabase implements AutoCloseable {

  private static final byte[] MANIFEST = {-1, 'm'};
  private static final byte[] DENSE = {-1, 'd'};
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
  private final WriteOptions write = new WriteOptions();
  private final ReadOptions reading = new ReadOptions();
  private final List<Table> tables = new ArrayList<>();

  /** Databases that were replaced; closing and deleting them is no part of a swap. */
  private final List<Open> left = new ArrayList<>();

  private @Nullable Open current;
  private @Nullable Open next;
  private @Nullable WriteBatch delta;
  private @Nullable Snapshot written;

  private record Open(RocksDB db, Path folder) {}

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
            tables.add(
                new Table(
                    tables.size(),
                    dim,
                    first,
                    fields.stream().mapToLong(FeatureEncoder::unknownKey).toArray())));
    try {
      reopen();
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * What went wrong, told apart: a disk that is full or fails is not a version that cannot be used.
   */
  private static IOException problem(String what, RocksDBException e) {
    String message = what + ": " + e.getMessage();
    Status status = e.getStatus();
    boolean disk = status != null && status.getCode() == Status.Code.IOError;
    return disk ? new StorageException(message, e) : new IOException(message, e);
  }

  /** Opens the newest database that is a version; deletes what was left half written. */
  private void reopen() throws IOException {
    List<Path> found;
    try (Stream<Path> all = Files.list(folder)) {
      found = all.filter(Files::isDirectory).sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : found) {
      Open open = current == null ? open(path) : null;
      if (open != null && get(open.db(), MANIFEST) != null) {
        current = open;
        reading.setSnapshot(open.db().getSnapshot());
      } else {
        if (open != null) {
          open.db().close();
        }
        Folders.delete(path);
      }
    }
  }

  private Open open(Path path) throws IOException {
    try {
      return new Open(RocksDB.open(options, path.toString()), path);
    } catch (RocksDBException e) {
      throw problem(path.toString(), e);
    }
  }

  private static byte[] get(RocksDB db, byte[] key) {
    try {
      return db.get(key);
    } catch (RocksDBException e) {
      throw new IllegalStateException("rows cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * Reads what is held in memory of the version that is there, once it is known to be of this
   * model.
   *
   * @throws IOException if rows are of another size
   */
  void readUnknown() throws IOException {
    for (Table table : tables) {
      table.readUnknown(requireNonNull(current).db());
    }
  }

  /** The manifest of the version that is there. */
  Optional<byte[]> manifest() {
    return current == null ? Optional.empty() : Optional.of(get(current.db(), MANIFEST));
  }

  /** The dense weights of the version that is there. */
  byte[] dense() {
    return get(requireNonNull(current).db(), DENSE);
  }

  /** The tables, in the order of their dims: where to read rows, and what takes published ones. */
  List<Table> tables() {
    return List.copyOf(tables);
  }

  /** A version is about to be prepared; what was prepared and not committed is forgotten. */
  void begin(boolean isDelta) throws IOException {
    abandon();
    clear();
    if (isDelta) {
      delta = new WriteBatch();
    } else {
      // In order of the names, the newest last.
      long number =
          current == null
              ? 0
              : Long.parseLong(current.folder().getFileName().toString().substring(5)) + 1;
      next = open(folder.resolve("rows-%09d".formatted(number)));
    }
  }

  private void clear() throws IOException {
    for (Open unused : left) {
      unused.db().close();
      Folders.delete(unused.folder());
    }
    left.clear();
  }

  private void abandon() throws IOException {
    if (delta != null) {
      delta.close();
      delta = null;
    }
    if (next != null) {
      next.db().close();
      Folders.delete(next.folder());
      next = null;
    }
  }

  /**
   * Writes what was prepared, at once; what is read stays the version before.
   *
   * @param dense the new dense weights; empty if they are those of the version before
   */
  void write(byte[] manifest, Optional<byte[]> dense) throws IOException {
    RocksDB db = next == null ? requireNonNull(current).db() : next.db();
    try (WriteBatch last = delta == null ? new WriteBatch() : delta) {
      last.put(MANIFEST, manifest);
      if (dense.isPresent()) {
        last.put(DENSE, dense.get());
      }
      db.write(write, last);
      delta = null;
    } catch (RocksDBException e) {
      throw problem("rows cannot be written", e);
    }
    written = db.getSnapshot();
  }

  /** What was written is what is read from now on. */
  void publish() {
    Open before = current;
    Snapshot old = reading.snapshot();
    reading.setSnapshot(written);
    if (next != null) {
      current = next;
      next = null;
    }
    if (old != null) {
      requireNonNull(before).db().releaseSnapshot(old);
    }
    if (before != null && before != current) {
      left.add(before);
    }
  }

  /** Closes it and deletes what is on disk. */
  void destroy() throws IOException {
    close();
    Folders.delete(folder);
  }

  @Override
  public void close() throws IOException {
    abandon();
    clear();
    if (current != null) {
      current.db().releaseSnapshot(reading.snapshot());
      current.db().close();
      current = null;
    }
    reading.close();
    write.close();
    options.close();
    cache.close();
  }

  /** The rows of one size. */
  final class Table implements RowSource, PublishedRows {
    private final int number;
    private final int dim;
    private final int width;
    private final long[] unknownKeys;
    private final float[][] unknown;
    private final ByteBuffer scratch;
    private final KeyMap slots = new KeyMap();
    private long[] keys = new long[1024];
    private int[] fields = new int[1024];
    private int used;
    private @Nullable List<byte[]> fetched;

    private Table(int number, int dim, int first, long[] unknownKeys) {
      this.number = number;
      this.dim = dim;
      width = dim + first;
      this.unknownKeys = unknownKeys;
      unknown = new float[unknownKeys.length][width];
      scratch = ByteBuffer.allocate(width * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
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
    public void begin() {
      slots.clear();
      used = 0;
      fetched = null;
    }

    /** Numbers the batch's keys; whether they have rows is seen when these are read. */
    @Override
    public int find(long key, int field) {
      int slot = slots.get(key);
      if (slot == KeyMap.MISSING) {
        slot = used++;
        if (slot == keys.length) {
          keys = Arrays.copyOf(keys, 2 * slot);
          fields = Arrays.copyOf(fields, 2 * slot);
        }
        keys[slot] = key;
        fields[slot] = field;
        slots.put(key, slot);
      }
      return slot;
    }

    @Override
    public boolean isUnknown(int row, int field) {
      return requireNonNull(fetched, "rows are read first").get(row) == null;
    }

    @Override
    public void read(int row, FloatBuffer into) {
      if (fetched == null) {
        fetched = fetch();
      }
      byte[] bytes = fetched.get(row);
      if (bytes == null) {
        into.put(unknown[fields[row]]);
      } else {
        FloatBuffer found = floats(bytes);
        int missing = width - found.remaining();
        into.put(found);
        // A row of before first-order weights.
        for (int i = 0; i < missing; i++) {
          into.put(0);
        }
      }
    }

    /** All rows of the batch with one call. */
    private List<byte[]> fetch() {
      List<byte[]> wanted = new ArrayList<>(used);
      for (int i = 0; i < used; i++) {
        wanted.add(key(keys[i]));
      }
      try {
        return requireNonNull(current).db().multiGetAsList(reading, wanted);
      } catch (RocksDBException e) {
        throw new IllegalStateException("rows cannot be read: " + e.getMessage(), e);
      }
    }

    private byte[] key(long key) {
      return ByteBuffer.allocate(1 + Long.BYTES).put((byte) number).putLong(key).array();
    }

    /** The bytes of the row at a place; the same array each time, which RocksDB copies. */
    private byte[] value(FloatBuffer values, int place) {
      scratch.asFloatBuffer().put(0, values, place * width, width);
      return scratch.array();
    }

    private static FloatBuffer floats(byte[] value) {
      return ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    }

    /** Rows of before first-order weights are shorter by these. */
    private void readUnknown(RocksDB db) throws IOException {
      for (int field = 0; field < unknown.length; field++) {
        byte[] value = get(db, key(unknownKeys[field]));
        if (value != null) {
          FloatBuffer row = floats(value);
          if (row.remaining() != width && row.remaining() != dim) {
            throw new IOException(
                "a row on disk has "
                    + row.remaining()
                    + " numbers, where "
                    + width
                    + ", or "
                    + dim
                    + " without first-order weights, are expected");
          }
          row.get(unknown[field], 0, row.remaining());
        }
      }
    }

    /** Writes a sorted file and hands it to the database whole: no log, no buffer, no merging. */
    @Override
    public Runnable base(LongBuffer published, FloatBuffer values) throws IOException {
      Open written = requireNonNull(next);
      Path file = written.folder().resolve("base-" + number + ".sst");
      try (EnvOptions environment = new EnvOptions();
          SstFileWriter writer = new SstFileWriter(environment, options);
          IngestExternalFileOptions ingest = new IngestExternalFileOptions().setMoveFiles(true)) {
        writer.open(file.toString());
        for (int i : SortedKeys.order(published)) {
          writer.put(key(published.get(i)), value(values, i));
        }
        if (published.limit() > 0) {
          writer.finish();
          written.db().ingestExternalFile(List.of(file.toString()), ingest);
        }
        return unknownAmong(published, values);
      } catch (RocksDBException e) {
        throw problem("rows cannot be written", e);
      }
    }

    @Override
    public Runnable delta(LongBuffer dropped, LongBuffer published, FloatBuffer values)
        throws IOException {
      WriteBatch batch = requireNonNull(delta);
      try {
        for (int i = 0; i < dropped.limit(); i++) {
          batch.delete(key(dropped.get(i)));
        }
        for (int i = 0; i < published.limit(); i++) {
          batch.put(key(published.get(i)), value(values, i));
        }
        return unknownAmong(published, values);
      } catch (RocksDBException e) {
        throw problem("rows cannot be written", e);
      }
    }

    /** Rows for unknown values are held in memory; those among the published ones change there. */
    private Runnable unknownAmong(LongBuffer published, FloatBuffer values) {
      List<Runnable> changes = new ArrayList<>();
      for (int i = 0; i < published.limit(); i++) {
        for (int field = 0; field < unknownKeys.length; field++) {
          if (published.get(i) == unknownKeys[field]) {
            float[] row = new float[width];
            values.get(i * width, row);
            float[] to = unknown[field];
            changes.add(() -> System.arraycopy(row, 0, to, 0, width));
          }
        }
      }
      return () -> changes.forEach(Runnable::run);
    }
  }
}
