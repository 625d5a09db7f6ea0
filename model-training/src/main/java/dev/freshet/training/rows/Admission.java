package dev.freshet.training.rows;

import dev.freshet.core.rows.KeyMap;
import java.util.stream.LongStream;

/**
 * Keys that wait for a row of their own: a negative value in the index of rows, of the day of the
 * last sighting and how many there were.
 */
final class Admission {

  private static final long DAY = 24 * 60 * 60 * 1000L;

  private Admission() {}

  static int waiting(int sightings, long eventTime) {
    int day = (int) Math.max(0, Math.min(eventTime / DAY, (1 << 22) - 1));
    return ~(day << 8 | sightings);
  }

  static int sightings(int waiting) {
    return ~waiting & 0xFF;
  }

  private static long day(int waiting) {
    return ~waiting >>> 8;
  }

  /**
   * Drops keys that were last seen before the day of a time.
   *
   * @param changes is told of them
   */
  static void forget(KeyMap index, long time, Unsaved changes) {
    long before = time / DAY;
    LongStream.Builder stale = LongStream.builder();
    index.each(
        (key, value) -> {
          if (value < 0 && day(value) < before) {
            stale.add(key);
          }
        });
    stale
        .build()
        .forEach(
            key -> {
              changes.key(key);
              index.remove(key, changes::moved);
            });
  }
}
