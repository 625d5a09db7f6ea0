package dev.freshet.core.rows;

import java.util.Arrays;

/**
 * From a 64-bit key, never 0, to an int: open addressing with linear probing, no boxing. Removal
 * shifts the entries behind it back, so probes never cross graves. Written here rather than taken
 * from a library for one reason: the trainer's snapshot and expiry walk the slots directly.
 */
public final class KeyMap {

  /** Result of {@link #get} for a key that is not there. */
  public static final int MISSING = Integer.MIN_VALUE;

  /** Visitor of {@link #each}. */
  public interface Visitor {
    void entry(long key, int value);
  }

  private static final double LOAD = 0.6;

  private long[] keys = new long[1024];
  private int[] values = new int[1024];
  private int size;

  public int get(long key) {
    int slot = slot(key);
    return keys[slot] == 0 ? MISSING : values[slot];
  }

  /** As {@link #get}, of some of many. */
  public void getAll(long[] of, int from, int to, int[] into) {
    for (int i = from; i < to; i++) {
      into[i] = get(of[i]);
    }
  }

  public void put(long key, int value) {
    if (key == 0) {
      throw new IllegalArgumentException("key 0 marks an empty slot");
    }
    int slot = slot(key);
    if (keys[slot] == 0) {
      if (size + 1 > keys.length * LOAD) {
        grow();
        slot = slot(key);
      }
      keys[slot] = key;
      size++;
    }
    values[slot] = value;
  }

  public void remove(long key) {
    remove(key, (other, value) -> {});
  }

  /**
   * Removes a key.
   *
   * @param moved is told the entries that lie in another slot for it
   */
  public void remove(long key, Visitor moved) {
    int hole = slot(key);
    if (keys[hole] == 0) {
      return;
    }
    size--;
    int mask = keys.length - 1;
    int next = hole;
    while (true) {
      next = next + 1 & mask;
      if (keys[next] == 0) {
        break;
      }
      int home = home(keys[next]);
      // Move the entry unless its home lies cyclically behind the hole.
      if ((next - home & mask) >= (next - hole & mask)) {
        keys[hole] = keys[next];
        values[hole] = values[next];
        moved.entry(keys[hole], values[hole]);
        hole = next;
      }
    }
    keys[hole] = 0;
  }

  public int size() {
    return size;
  }

  public void each(Visitor visitor) {
    each(0, keys.length, visitor);
  }

  /**
   * Visits the entries in some of the slots. Entries stay where they are until {@link #slots}
   * grows, but for those that a removal moves.
   *
   * @param to the first slot behind them
   */
  public void each(int from, int to, Visitor visitor) {
    for (int i = from; i < to; i++) {
      if (keys[i] != 0) {
        visitor.entry(keys[i], values[i]);
      }
    }
  }

  /** How many slots there are. */
  public int slots() {
    return keys.length;
  }

  /**
   * Makes room for so many entries at once: those of another map may then come in its order, which
   * would crowd a map that grows meanwhile.
   */
  public void reserve(int entries) {
    while (entries > keys.length * LOAD) {
      grow();
    }
  }

  public void clear() {
    Arrays.fill(keys, 0);
    size = 0;
  }

  private int slot(long key) {
    int mask = keys.length - 1;
    int slot = home(key);
    while (keys[slot] != 0 && keys[slot] != key) {
      slot = slot + 1 & mask;
    }
    return slot;
  }

  private int home(long key) {
    // Keys are hashes already; one multiply guards against a user's own 64-bit ids.
    return (int) (key * 0x9E3779B97F4A7C15L >>> 32) & keys.length - 1;
  }

  private void grow() {
    if (keys.length >= 1 << 30) {
      throw new IllegalStateException("more keys than one table can hold: " + size);
    }
    long[] oldKeys = keys;
    int[] oldValues = values;
    keys = new long[oldKeys.length * 2];
    values = new int[oldKeys.length * 2];
    for (int i = 0; i < oldKeys.length; i++) {
      if (oldKeys[i] != 0) {
        int slot = slot(oldKeys[i]);
        keys[slot] = oldKeys[i];
        values[slot] = oldValues[i];
      }
    }
  }
}
