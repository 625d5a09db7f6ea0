package dev.freshet.local.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** The folder of one run at a time; a temporary one goes away with it. */
public final class RunFolder implements AutoCloseable {

  private static final int ATTEMPTS = 20;
  // The record first: without it the rest is not taken for whole.
  private static final List<String> CONTENTS =
      List.of(RunRecord.FILE, "checkpoints", "savepoints", "tmp", "kafka");

  private final Path path;

  /** Held while the folder is in use; null for a temporary one. */
  private final @Nullable FileChannel lock;

  private RunFolder(Path path, @Nullable FileChannel lock) {
    this.path = path;
    this.lock = lock;
  }

  /** A temporary one. */
  public static RunFolder temporary() throws IOException {
    return new RunFolder(Files.createTempDirectory("freshet-"), null);
  }

  /**
   * One that stays.
   *
   * @param again true if what an earlier run left there is thrown away
   * @throws RefusedException if another process runs in it
   */
  public static RunFolder kept(Path folder, boolean again) throws IOException {
    Path path = Files.createDirectories(folder).toAbsolutePath().normalize();
    FileChannel lock =
        FileChannel.open(path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    if (!locked(lock)) {
      lock.close();
      throw new RefusedException("--data-dir: another run is under way in " + path);
    }
    if (again) {
      for (String name : CONTENTS) {
        delete(path.resolve(name));
      }
    }
    delete(path.resolve("tmp"));
    return new RunFolder(path, lock);
  }

  private static boolean locked(FileChannel channel) throws IOException {
    try {
      FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  public Path path() {
    return path;
  }

  /** Gives up at once: ends the children of this process and removes what should not stay. */
  public void abandon() {
    ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly);
    try {
      if (lock == null) {
        delete(path);
      }
    } catch (IOException e) {
      LoggerFactory.getLogger(RunFolder.class).warn("{} stays", path, e);
    }
  }

  @Override
  public void close() throws IOException {
    if (lock == null) {
      delete(path);
    } else {
      delete(path.resolve("tmp"));
      lock.close();
    }
  }

  /** Deletes a folder in which the last threads may still be at work. */
  private static void delete(Path root) throws IOException {
    for (int attempt = 1; Files.exists(root); attempt++) {
      try (Stream<Path> files = Files.walk(root)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(file);
        }
      } catch (IOException | UncheckedIOException e) {
        if (attempt == ATTEMPTS) {
          throw new IOException(root + " could not be deleted", e);
        }
        pause();
      }
    }
  }

  private static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(50);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
