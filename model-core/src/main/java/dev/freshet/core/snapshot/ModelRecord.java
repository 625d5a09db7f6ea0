package dev.freshet.core.snapshot;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * One message of the model topic, or of the training log, which says what its keys and versions
 * are.
 *
 * @param key {@code model/slot/index} or {@code model/slot/manifest}; slots are used in turn, so
 *     that compaction keeps the newest versions and drops the others
 * @param value a chunk, a manifest, or null to delete the key
 * @param version of the weights, {@code run-step}
 * @param index of the chunk, or {@link #MANIFEST}
 * @param count of the version's chunks
 */
public record ModelRecord(String key, byte @Nullable [] value, String version, int index, int count)
    implements Serializable {

  /** Index of a manifest. */
  public static final int MANIFEST = -1;
}
