package dev.freshet.replica;

import dev.freshet.core.settings.EnumNames;

/** Why a version was not taken. */
public enum RefusalReason {
  /**
   * A chunk is missing or is not what the manifest names; also what compaction leaves of old
   * versions.
   */
  BROKEN,
  /** A delta on a version that is not the one in use; the next base helps. */
  MISSING_PARENT,
  /** It was made from other features. */
  OTHER_SCHEMA,
  /** It belongs to another model, or to other settings of it. */
  OTHER_MODEL,
  /** Its payload does not fit the model. */
  UNREADABLE,
  /** The disk is full or cannot be written; it is tried again until it can. */
  STORAGE;

  /** As in metrics: {@code other-schema}. */
  public String label() {
    return EnumNames.of(this);
  }
}
