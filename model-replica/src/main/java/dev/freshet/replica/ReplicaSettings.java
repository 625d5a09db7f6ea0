package dev.freshet.replica;

import static dev.freshet.core.settings.InvalidValueException.check;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * How a replica keeps what it follows.
 *
 * @param folder where versions are put together and left for the next start; null for a temporary
 *     one
 * @param rowCache bytes of memory for embedding rows that are asked for often, all of them being in
 *     RocksDB in the folder; 0 to hold all rows in memory
 */
public record ReplicaSettings(@Nullable Path folder, long rowCache) {

  /** All rows in memory, a temporary folder. */
  public static final ReplicaSettings DEFAULT = new ReplicaSettings(null, 0);

  public ReplicaSettings {
    check(rowCache >= 0, "row-cache", rowCache, "0 or more");
  }
}
