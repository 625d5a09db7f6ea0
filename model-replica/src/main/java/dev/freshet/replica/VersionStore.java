package dev.freshet.replica;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.core.snapshot.SnapshotAssembler;
import dev.freshet.core.snapshot.SnapshotAssembler.Snapshot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Versions of one model on local disk: payloads are put together there instead of in memory, and a
 * replica that is started again loads the newest of them at once and goes on where it had read to.
 *
 * <pre>
 * run-step.safetensors, run-step.json   a version's payload and manifest
 * position                              JSON: topic, partition, offset to go on from
 * lock                                  held by the replica that uses the folder
 * </pre>
 */
final class VersionStore implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(VersionStore.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String PAYLOAD = ".safetensors";
  private static final String MANIFEST = ".json";

  private final Path folder;
  private final boolean temporary;
  private final FileChannel lock;

  private record Position(String topic, int partition, long offset) {}

  private VersionStore(Path folder, boolean temporary) throws IOException {
    this.folder = Files.createDirectories(folder);
    this.temporary = temporary;
    lock =
        FileChannel.open(
            folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock held = null;
    try {
      held = lock.tryLock();
    } catch (OverlappingFileLockException e) {
      LOG.debug("Locked in this process", e);
    }
    if (held == null) {
      lock.close();
      throw new IOException(folder + " is in use by another replica");
    }
    for (Path unfinished : files(SnapshotAssembler.PART)) {
      Files.delete(unfinished);
    }
  }

  /** A folder that goes when it is closed. */
  static VersionStore temporary() throws IOException {
    return new VersionStore(Files.createTempDirectory("freshet-replica"), true);
  }

  /**
   * A folder that stays.
   *
   * @throws IOException if it cannot be written, or another replica uses it
   */
  static VersionStore in(Path folder) throws IOException {
    return new VersionStore(folder, false);
  }

  /** True if what is in the folder is there for another start. */
  boolean stays() {
    return !temporary;
  }

  /** A place for something else in the folder. */
  Path resolve(String name) {
    return folder.resolve(name);
  }

  /** Puts versions together in the folder. */
  SnapshotAssembler assembler() {
    return new SnapshotAssembler(folder);
  }

  /** The newest version that is there with everything it builds on, all of it unharmed. */
  Optional<Chain> newest() throws IOException {
    Map<String, Manifest> manifests = new HashMap<>();
    for (Path file : files(MANIFEST)) {
      try {
        Manifest manifest = Manifest.fromJson(Files.readAllBytes(file));
        manifests.put(manifest.version(), manifest);
      } catch (IOException e) {
        LOG.warn("{} is passed over: {}", file, e.getMessage());
      }
    }
    List<Manifest> newestFirst =
        manifests.values().stream()
            .sorted(
                Comparator.comparing((Manifest m) -> ModelVersion.parse(m.version())).reversed())
            .toList();
    for (Manifest manifest : newestFirst) {
      Optional<Chain> chain = chain(manifest, manifests);
      if (chain.isPresent()) {
        return chain;
      }
    }
    return Optional.empty();
  }

  private Optional<Chain> chain(Manifest newest, Map<String, Manifest> manifests) {
    Deque<Manifest> links = new ArrayDeque<>();
    for (Manifest m = newest; m != null; m = m.isDelta() ? manifests.get(m.parent()) : null) {
      links.addFirst(m);
    }
    Chain chain = new Chain();
    try {
      for (Manifest link : links) {
        ByteBuffer payload = map(folder.resolve(link.version() + PAYLOAD));
        SnapshotAssembler.check(link, payload);
        if (!chain.add(new Snapshot(link, payload))) {
          return Optional.empty();
        }
      }
      return Optional.of(chain);
    } catch (IOException e) {
      LOG.warn("Version {} on disk is passed over: {}", newest.version(), e.toString());
      return Optional.empty();
    }
  }

  private static ByteBuffer map(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
    }
  }

  private List<Path> files(String suffix) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(file -> file.getFileName().toString().endsWith(suffix)).toList();
    }
  }

  /** Deletes all versions but these. */
  void keep(Set<String> versions) throws IOException {
    for (String suffix : List.of(MANIFEST, PAYLOAD)) {
      for (Path file : files(suffix)) {
        String name = file.getFileName().toString();
        if (!versions.contains(name.substring(0, name.length() - suffix.length()))) {
          Files.delete(file);
        }
      }
    }
  }

  /** Lets a topic go on where it was read to, if that is known. */
  boolean resume(ModelTopic topic) throws IOException {
    Path file = folder.resolve("position");
    if (!Files.exists(file)) {
      return false;
    }
    Position position = JSON.readValue(file.toFile(), Position.class);
    topic.resume(new TopicPartition(position.topic(), position.partition()), position.offset());
    return true;
  }

  /** Everything in the partition before this offset has been read. */
  void position(TopicPartition of, long offset) throws IOException {
    Path next = folder.resolve("position.next");
    Files.write(next, JSON.writeValueAsBytes(new Position(of.topic(), of.partition(), offset)));
    Files.move(
        next,
        folder.resolve("position"),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  @Override
  public void close() throws IOException {
    if (temporary) {
      Folders.delete(folder);
    }
    lock.close();
  }
}
