package dev.freshet.local.run;

/**
 * How often each of very many ids was seen, by hashes of 64 bits: 9 bytes for a place, of which a
 * third stays free. Two of a hundred million ids share a hash with a probability of 0.0003.
 */
final class IdCounts {

  private static final int FEWEST = 1 << 10;
  private static final int BYTES_OF_A_PLACE = Long.BYTES + Byte.BYTES;

  private long[] ids;
  private byte[] counts;
  private int used;

  /**
   * @param expected how many ids there will be, about
   */
  IdCounts(long expected) {
    ids = new long[places(expected)];
    counts = new byte[ids.length];
  }

  private static int places(long expected) {
    return (int) Math.min(Integer.MAX_VALUE - 8, Math.max(FEWEST, expected + expected / 2));
  }

  /** Bytes of memory for so many ids. */
  static long bytes(long expected) {
    return (long) places(expected) * BYTES_OF_A_PLACE;
  }

  /** Counts an id once more; beyond {@value Byte#MAX_VALUE} it is not counted on. */
  void add(long id) {
    int place = place(id);
    if (counts[place] == 0) {
      if (used >= ids.length / 3 * 2) {
        grow();
        place = place(id);
      }
      ids[place] = id;
      used++;
    }
    if (counts[place] < Byte.MAX_VALUE) {
      counts[place]++;
    }
  }

  /** How often it was counted. */
  int count(long id) {
    return counts[place(id)];
  }

  /** Where an id is, or would be. */
  private int place(long id) {
    int place = (int) ((id >>> 32) * ids.length >>> 32);
    while (counts[place] != 0 && ids[place] != id) {
      place = place + 1 == ids.length ? 0 : place + 1;
    }
    return place;
  }

  private void grow() {
    long[] oldIds = ids;
    byte[] oldCounts = counts;
    int larger = places(ids.length);
    if (larger == ids.length) {
      throw new IllegalStateException("more than " + used + " ids");
    }
    ids = new long[larger];
    counts = new byte[larger];
    for (int i = 0; i < oldIds.length; i++) {
      if (oldCounts[i] != 0) {
        int place = place(oldIds[i]);
        ids[place] = oldIds[i];
        counts[place] = oldCounts[i];
      }
    }
  }
}
