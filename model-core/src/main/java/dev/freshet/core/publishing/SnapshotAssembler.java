package dev.freshet.core.publishing;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Puts versions together again from the messages of one model, in the order of the topic. Gives a
 * version out only when its manifest and all chunks that this names are there and unharmed, so a
 * reader that meets chunks of three versions on a compacted topic never mixes them.
 */
public final class SnapshotAssembler {

  /** A version that arrived whole. */
  public record Snapshot(Manifest manifest, byte[] payload) {}

  /** A version that cannot be used. */
  public static final class BrokenSnapshotException extends IOException {
    BrokenSnapshotException(String version, String problem) {
      super("version " + version + " is refused: " + problem);
    }
  }

  private final Map<String, Map<Integer, byte[]>> chunks = new HashMap<>();

  /**
   * Takes the next message.
   *
   * @return a snapshot, if the message completes one
   * @throws BrokenSnapshotException if it is a manifest whose version is not whole and unharmed
   */
  public Optional<Snapshot> accept(ModelRecord record) throws IOException {
    if (record.value() == null) {
      return Optional.empty();
    }
    if (record.index() != ModelRecord.MANIFEST) {
      chunks
          .computeIfAbsent(record.version(), version -> new HashMap<>())
          .put(record.index(), record.value());
      return Optional.empty();
    }
    Map<Integer, byte[]> parts = chunks.remove(record.version());
    // Whatever came before this manifest and is not its own was never announced, or is compacted
    // away.
    chunks.clear();
    Manifest manifest = Manifest.fromJson(record.value());
    return Optional.of(
        new Snapshot(manifest, assemble(manifest, parts == null ? Map.of() : parts)));
  }

  private static byte[] assemble(Manifest manifest, Map<Integer, byte[]> parts)
      throws BrokenSnapshotException {
    ByteArrayOutputStream payload = new ByteArrayOutputStream(Math.toIntExact(manifest.bytes()));
    MessageDigest whole = Sha256.digest();
    for (int i = 0; i < manifest.chunks().size(); i++) {
      byte[] part = parts.get(i);
      Manifest.Chunk expected = manifest.chunks().get(i);
      if (part == null) {
        throw new BrokenSnapshotException(
            manifest.version(), "chunk " + i + " of " + manifest.chunks().size() + " is missing");
      }
      if (part.length != expected.bytes() || !Sha256.of(part).equals(expected.sha256())) {
        throw new BrokenSnapshotException(
            manifest.version(), "chunk " + i + " is not the one that the manifest names");
      }
      whole.update(part);
      payload.writeBytes(part);
    }
    if (payload.size() != manifest.bytes()
        || !Sha256.hex(whole.digest()).equals(manifest.sha256())) {
      throw new BrokenSnapshotException(manifest.version(), "the whole has another hash");
    }
    return payload.toByteArray();
  }
}
