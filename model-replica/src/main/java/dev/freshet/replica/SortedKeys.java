package dev.freshet.replica;

import java.nio.LongBuffer;

/**
 * Keys in the order of their bytes. They are hashes, so dealing them out by their first 16 bits
 * leaves next to nothing to sort.
 */
final class SortedKeys {

  private static final int BUCKETS = 1 << 16;

  private SortedKeys() {}

  /** Places of {@code keys}, smallest unsigned key first. */
  static int[] order(LongBuffer keys) {
    int[] ends = new int[BUCKETS + 1];
    for (int i = 0; i < keys.limit(); i++) {
      ends[bucket(keys.get(i)) + 1]++;
    }
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
      ends[bucket + 1] += ends[bucket];
    }
    int[] order = new int[keys.limit()];
    int[] next = ends.clone();
    for (int i = 0; i < order.length; i++) {
      int at = next[bucket(keys.get(i))]++;
      order[at] = i;
    }
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
      sort(keys, order, ends[bucket], ends[bucket + 1]);
    }
    return order;
  }

  private static int bucket(long key) {
    return (int) (key >>> 48);
  }

  private static void sort(LongBuffer keys, int[] order, int from, int to) {
    for (int i = from + 1; i < to; i++) {
      int moving = order[i];
      long key = keys.get(moving);
      int at = i;
      while (at > from && Long.compareUnsigned(keys.get(order[at - 1]), key) > 0) {
        order[at] = order[at - 1];
        at--;
      }
      order[at] = moving;
    }
  }
}
