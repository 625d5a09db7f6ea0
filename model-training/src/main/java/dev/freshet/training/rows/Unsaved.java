package dev.freshet.training.rows;

import dev.freshet.core.rows.KeyMap;

/**
 * Rows of a table, and keys that wait for one, that are not as {@link RowLog} wrote them last. Rows
 * that were dropped are among them, and so are keys that wait no more. Until somebody asks it
 * counts none.
 */
final class Unsaved {

  private boolean asked;
  private final TouchedRows rows = new TouchedRows();

  /** A set: values mean nothing. */
  private KeyMap keys = new KeyMap();

  void ask() {
    asked = true;
  }

  void row(int row) {
    if (asked) {
      rows.touch(row);
    }
  }

  void key(long key) {
    if (asked) {
      keys.put(key, 0);
    }
  }

  /** An entry of the index lies elsewhere now, where a walk over its slots may miss it. */
  void moved(long key, int value) {
    if (value < 0) {
      key(key);
    }
  }

  TouchedRows rows() {
    return rows;
  }

  KeyMap keys() {
    return keys;
  }

  long count() {
    return (long) rows.count() + keys.size();
  }

  void clear() {
    rows.clear();
    if (keys.size() > 0) {
      keys = new KeyMap();
    }
  }
}
