package dev.freshet.training;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;

/** The newest amounts, up to a number of them. Copies share what neither has changed. */
final class NewestAmounts {

  private static final int FIRST = 64;

  private final int memory;

  /** A ring, its next place to write {@code count % length}; it grows up to the memory. */
  private double[] ring = {};

  private boolean owned = true;
  private long count;

  /**
   * @param memory how many are kept
   */
  NewestAmounts(int memory) {
    this.memory = memory;
  }

  NewestAmounts copy() {
    NewestAmounts copy = new NewestAmounts(memory);
    copy.ring = ring;
    copy.owned = false;
    owned = false;
    copy.count = count;
    return copy;
  }

  void add(double amount) {
    if (!owned || ring.length < memory && count == ring.length) {
      int grown = Math.min(memory, Math.max(FIRST, 2 * ring.length));
      ring = Arrays.copyOf(ring, count == ring.length ? grown : ring.length);
      owned = true;
    }
    ring[(int) (count % ring.length)] = amount;
    count++;
  }

  /** How many were added. */
  long count() {
    return count;
  }

  /** How many are kept. */
  int size() {
    return (int) Math.min(count, ring.length);
  }

  /**
   * One of those that are kept, in no order.
   *
   * @param place 0 to {@link #size} - 1
   */
  double get(int place) {
    return ring[place];
  }

  /**
   * Its part of a trainer's snapshot.
   *
   * <pre>
   * long count | int size, each, oldest first: double amount
   * </pre>
   */
  void write(DataOutput out) throws IOException {
    out.writeLong(count);
    int size = size();
    out.writeInt(size);
    for (long i = count - size; i < count; i++) {
      out.writeDouble(ring[(int) (i % ring.length)]);
    }
  }

  /** The inverse of {@link #write}; more or less memory than before is allowed. */
  void read(DataInput in) throws IOException {
    count = in.readLong();
    double[] oldestFirst = new double[in.readInt()];
    for (int i = 0; i < oldestFirst.length; i++) {
      oldestFirst[i] = in.readDouble();
    }
    int kept = Math.min(oldestFirst.length, memory);
    // As long as the ring grows, places are those of an array that is filled from its start.
    boolean full = kept == memory;
    ring = new double[full ? kept : Math.min(memory, Math.max(FIRST, 2 * kept))];
    owned = true;
    if (!full) {
      count = kept;
    }
    for (int i = 0; i < kept; i++) {
      long place = count - kept + i;
      ring[(int) (place % ring.length)] = oldestFirst[oldestFirst.length - kept + i];
    }
  }
}
