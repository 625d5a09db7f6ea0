package dev.freshet.core.rows;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Threads that share the work on a batch: the caller's, and some of its own. What is cut into how
 * many parts depends on sizes alone, so the same work gives the same result. For one caller at a
 * time.
 */
public final class Workers implements AutoCloseable {

  /** The caller does everything itself. */
  public static final Workers NONE = new Workers(1, "");

  private final int count;
  private final ExecutorService others;

  /**
   * @param count of threads, the caller's among them; 1 or more
   * @param name of those that are not the caller's, which start when they are needed
   */
  public Workers(int count, String name) {
    this.count = count;
    others =
        Executors.newFixedThreadPool(
            Math.max(1, count - 1),
            work -> {
              Thread thread = new Thread(work, name);
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Work on a part of a batch. */
  public interface Part {
    /**
     * @param part number of the part
     * @param from the first that belongs to it
     * @param to the first behind it
     */
    void work(int part, int from, int to);
  }

  /** How many there are, the caller among them. */
  public int count() {
    return count;
  }

  /**
   * Into how many parts so much is cut.
   *
   * @param least size that a part is worth having
   */
  public int parts(int size, int least) {
    return Math.max(1, Math.min(count, size / least));
  }

  /**
   * Has all parts done, the first by the caller; comes back when no thread works on any.
   *
   * @param parts as {@link #parts} says
   * @throws RuntimeException that of a part that failed
   */
  public void share(int size, int parts, Part work) {
    CompletableFuture<?>[] running = new CompletableFuture<?>[parts - 1];
    for (int i = 1; i < parts; i++) {
      int part = i;
      running[i - 1] =
          CompletableFuture.runAsync(
              () -> work.work(part, start(size, parts, part), start(size, parts, part + 1)),
              others);
    }
    CompletableFuture<Void> all = CompletableFuture.allOf(running);
    try {
      work.work(0, 0, start(size, parts, 1));
    } finally {
      // They read and write what is the caller's: whatever happened, first they end.
      all.handle((done, failure) -> null).join();
    }
    try {
      all.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException failure ? failure : e;
    }
  }

  private static int start(int size, int parts, int part) {
    return (int) ((long) size * part / parts);
  }

  @Override
  public void close() {
    others.shutdown();
  }
}
