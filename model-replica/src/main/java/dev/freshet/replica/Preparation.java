package dev.freshet.replica;

import dev.freshet.core.rows.PublishedRows;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * The rows of a model's next version while the version before still serves. Closed without being
 * put in use, it leaves no trace.
 */
interface Preparation extends AutoCloseable {

  /** Takers of the version's rows, in the order of their dims. */
  List<? extends PublishedRows> tables();

  /**
   * Writes what was prepared, at once; what is read stays the version before.
   *
   * @param dense the new dense weights; empty if they are those of the version before
   * @return what puts it in use, between two batches
   */
  Runnable write(byte[] manifest, Optional<byte[]> dense) throws IOException;

  @Override
  void close() throws IOException;

  /** One of rows in memory, which know by themselves how to change, and outlive nothing. */
  record InMemory(List<? extends PublishedRows> tables) implements Preparation {

    @Override
    public Runnable write(byte[] manifest, Optional<byte[]> dense) {
      return () -> {};
    }

    @Override
    public void close() {}
  }
}
