package dev.freshet.experiments.importers;

import dev.freshet.core.settings.EnumNames;

/** A row that is no event: an importer skips it, or stops at it if it is told to be strict. */
final class BadRow extends IllegalArgumentException {

  /** Faults of a row. */
  enum Reason {
    COLUMNS,
    QUOTES,
    NUMBER,
    DATE,
    EMPTY_ID,
    INVALID;

    String label() {
      return EnumNames.of(this);
    }
  }

  private final Reason reason;

  BadRow(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  Reason reason() {
    return reason;
  }
}
