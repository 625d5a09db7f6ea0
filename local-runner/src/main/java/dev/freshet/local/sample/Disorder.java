package dev.freshet.local.sample;

import java.util.HashMap;
import java.util.Map;

/** How far messages are behind the newest one before them. */
final class Disorder {

  /** A time further ahead is a wrong clock's, unless the next one that is ahead is near it. */
  private static final long JUMP = 3_600_000;

  private final Map<String, long[]> newest = new HashMap<>();
  private final Numbers behind = new Numbers();

  /**
   * One more message.
   *
   * @param lane messages of one are in order among themselves
   * @param time epoch milliseconds
   */
  void add(String lane, long time) {
    long[] seen = newest.computeIfAbsent(lane, l -> new long[] {time, time});
    long ahead = time - seen[0];
    if (ahead > JUMP && Math.abs(time - seen[1]) > JUMP) {
      seen[1] = time;
    } else if (ahead > 0) {
      seen[0] = time;
      seen[1] = time;
    }
    behind.add(Math.max(0, seen[0] - time));
  }

  /** Milliseconds; 0 for a message that is the newest so far. */
  Numbers behind() {
    return behind;
  }
}
