package dev.freshet.core.snapshot;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.codec.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Puts versions together again from the messages of one model, in the order of the topic. Gives a
 * version out only when its manifest and all chunks that this names are there and unharmed, so a
 * reader that meets chunks of three versions on a compacted topic never mixes them.
 *
 * <p>Payloads are put together in memory, or in a folder; there a version that is whole becomes the
 * files {@code run-step.safetensors}, mapped, and {@code run-step.json}, its manifest.
 */
public final class SnapshotAssembler {

  /**
   * Ending of files whose version is not whole yet; what is left of them after a crash is of no
   * use.
   */
  public static final String PART = ".part";

  /** A version that arrived whole. */
  public record Snapshot(Manifest manifest, ByteBuffer payload) {

    /** A copy of the payload. */
    public byte[] bytes() {
      byte[] bytes = new byte[payload.capacity()];
      payload.get(0, bytes);
      return bytes;
    }
  }

  /** A version that cannot be used. */
  public static final class BrokenSnapshotException extends IOException {
    BrokenSnapshotException(String version, String problem) {
      super("version " + version + " is refused: " + problem);
    }
  }

  private final @Nullable Path folder;
  private final Map<String, Parts> parts = new HashMap<>();

  /** In memory. */
  public SnapshotAssembler() {
    this(null);
  }

  /**
   * In a folder.
   *
   * @param folder exists; null for memory
   */
  public SnapshotAssembler(@Nullable Path folder) {
    this.folder = folder;
  }

  /**
   * Takes the next message.
   *
   * @return a snapshot, if the message completes one
   * @throws BrokenSnapshotException if it is a manifest whose version is not whole and unharmed
   * @throws StorageException if the folder cannot be written; the version's first message may be
   *     given again, then the others, when it can
   */
  public Optional<Snapshot> accept(ModelRecord record) throws IOException {
    if (record.value() == null) {
      return Optional.empty();
    }
    if (record.index() != ModelRecord.MANIFEST) {
      if (!parts.containsKey(record.version())) {
        store(record, () -> parts.put(record.version(), begin(record.version())));
      }
      Parts of = requireNonNull(parts.get(record.version()));
      byte[] chunk = record.value();
      store(record, () -> of.put(record.index(), chunk));
      return Optional.empty();
    }
    Parts of = parts.remove(record.version());
    try {
      Manifest manifest = Manifest.fromJson(record.value());
      ByteBuffer payload = (of == null ? new InMemory() : of).whole(manifest);
      check(manifest, payload);
      if (folder != null && of != null) {
        store(
            record,
            () -> {
              of.keep(folder.resolve(manifest.version() + ".safetensors"));
              Files.write(folder.resolve(manifest.version() + ".json"), record.value());
            });
      }
      return Optional.of(new Snapshot(manifest, payload));
    } finally {
      if (of != null) {
        of.discard();
      }
      // Whatever came before this manifest and is not its own was never announced, or is compacted
      // away.
      discard();
    }
  }

  private Parts begin(String version) throws IOException {
    return folder == null ? new InMemory() : new InFile(folder.resolve(version + PART));
  }

  private interface Storing {
    void run() throws IOException;
  }

  private void store(ModelRecord record, Storing what) throws StorageException {
    try {
      what.run();
    } catch (IOException e) {
      throw new StorageException(
          "version " + record.version() + " cannot be written to " + folder + ": " + e.getMessage(),
          e);
    }
  }

  /** True if chunks wait for a manifest. */
  public boolean pending() {
    return !parts.isEmpty();
  }

  /** Forgets chunks that wait for a manifest. */
  public void discard() throws IOException {
    List<Parts> all = List.copyOf(parts.values());
    parts.clear();
    for (Parts of : all) {
      of.discard();
    }
  }

  /**
   * @throws BrokenSnapshotException if the payload is not the one that the manifest names
   */
  public static void check(Manifest manifest, ByteBuffer payload) throws BrokenSnapshotException {
    if (payload.capacity() != manifest.bytes()) {
      throw new BrokenSnapshotException(
          manifest.version(), payload.capacity() + " bytes, not " + manifest.bytes());
    }
    if (hash(payload, 0, payload.capacity()).equals(manifest.sha256())) {
      return;
    }
    int at = 0;
    for (int i = 0; i < manifest.chunks().size(); i++) {
      Manifest.Chunk expected = manifest.chunks().get(i);
      if (!hash(payload, at, expected.bytes()).equals(expected.sha256())) {
        throw new BrokenSnapshotException(
            manifest.version(), "chunk " + i + " is not the one that the manifest names");
      }
      at += expected.bytes();
    }
    throw new BrokenSnapshotException(manifest.version(), "the whole has another hash");
  }

  private static String hash(ByteBuffer payload, int from, int length) {
    MessageDigest digest = Sha256.digest();
    digest.update(payload.slice(from, length));
    return Sha256.hex(digest.digest());
  }

  /** The chunks of one version, while they come. */
  private abstract static class Parts {

    private final Map<Integer, Integer> lengths = new HashMap<>();

    void put(int index, byte[] chunk) throws IOException {
      lengths.put(index, chunk.length);
      store(index, chunk);
    }

    /** All chunks one after the other. */
    ByteBuffer whole(Manifest manifest) throws IOException {
      if (manifest.bytes() > Integer.MAX_VALUE) {
        throw new BrokenSnapshotException(
            manifest.version(), manifest.bytes() + " bytes; allowed: up to " + Integer.MAX_VALUE);
      }
      int count = manifest.chunks().size();
      for (int i = 0; i < count; i++) {
        Integer length = lengths.get(i);
        if (length == null) {
          throw new BrokenSnapshotException(
              manifest.version(), "chunk " + i + " of " + count + " is missing");
        }
        if (length != manifest.chunks().get(i).bytes()) {
          throw new BrokenSnapshotException(
              manifest.version(), "chunk " + i + " is not the one that the manifest names");
        }
      }
      return join(manifest);
    }

    abstract void store(int index, byte[] chunk) throws IOException;

    abstract ByteBuffer join(Manifest manifest) throws IOException;

    void keep(Path file) throws IOException {}

    void discard() throws IOException {}
  }

  private static final class InMemory extends Parts {
    private final Map<Integer, byte[]> chunks = new HashMap<>();

    @Override
    void store(int index, byte[] chunk) {
      chunks.put(index, chunk);
    }

    @Override
    ByteBuffer join(Manifest manifest) {
      ByteBuffer whole = ByteBuffer.allocate(Math.toIntExact(manifest.bytes()));
      for (int i = 0; i < manifest.chunks().size(); i++) {
        whole.put(chunks.get(i));
      }
      return whole.flip();
    }
  }

  /** Chunks are appended as they come, which is in order. */
  private static final class InFile extends Parts {
    private final Path file;
    private final FileChannel channel;
    private final Map<Integer, Long> places = new HashMap<>();

    InFile(Path file) throws IOException {
      this.file = file;
      channel =
          FileChannel.open(
              file,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
    }

    @Override
    void store(int index, byte[] chunk) throws IOException {
      places.put(index, channel.position());
      ByteBuffer from = ByteBuffer.wrap(chunk);
      while (from.hasRemaining()) {
        channel.write(from);
      }
    }

    @Override
    ByteBuffer join(Manifest manifest) throws IOException {
      long at = 0;
      for (int i = 0; i < manifest.chunks().size(); i++) {
        if (requireNonNull(places.get(i), "all chunks have come") != at) {
          throw new BrokenSnapshotException(manifest.version(), "chunk " + i + " is out of order");
        }
        at += manifest.chunks().get(i).bytes();
      }
      try {
        channel.truncate(at);
        return channel.map(FileChannel.MapMode.READ_ONLY, 0, at);
      } catch (IOException e) {
        throw new StorageException(file + " cannot be mapped: " + e.getMessage(), e);
      }
    }

    @Override
    void keep(Path as) throws IOException {
      Files.move(file, as, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    @Override
    void discard() throws IOException {
      channel.close();
      Files.deleteIfExists(file);
    }
  }
}
