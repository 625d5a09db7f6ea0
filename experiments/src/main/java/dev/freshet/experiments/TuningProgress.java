package dev.freshet.experiments;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How far a round is: what is done and what is being learnt, since when, and how long it takes. */
final class TuningProgress {

  private static final long SECOND = 1_000_000_000L;
  private static final int MINUTE = 60;
  private static final int HOUR = 60 * MINUTE;

  private final int total;
  private final int threads;
  private final long start;
  private final Map<String, Long> learning = new LinkedHashMap<>();
  private int open;
  private int done;
  private double seconds;

  /**
   * @param total candidates in all
   * @param open those of them that are to be learnt
   * @param threads that learn at a time
   * @param now in nanoseconds, as all times here
   */
  TuningProgress(int total, int open, int threads, long now) {
    this.total = total;
    this.open = open;
    this.threads = Math.max(1, Math.min(threads, open));
    this.start = now;
  }

  synchronized void begin(String candidate, long now) {
    learning.put(candidate, now);
  }

  synchronized void end(String candidate, double took) {
    learning.remove(candidate);
    seconds += took;
    done++;
    open--;
  }

  /**
   * Expectation of the others' time from the candidates so far; null before the first and at the
   * end.
   */
  synchronized @Nullable String expected() {
    return done == 0 || open == 0
        ? null
        : "about " + time(seconds / done * Math.ceil((double) open / threads));
  }

  /** All of it, in words. */
  synchronized String text(long now) {
    String expected = expected();
    List<String> each = new ArrayList<>();
    learning.forEach(
        (name, since) -> each.add(name + " (" + time((double) (now - since) / SECOND) + ")"));
    return "%d of %d done after %s%s%s"
        .formatted(
            total - open,
            total,
            time((double) (now - start) / SECOND),
            expected == null ? "" : ", " + expected + " to go",
            each.isEmpty() ? "" : "; being learnt: " + String.join("; ", each));
  }

  /** Seconds in the largest units that suit. */
  static String time(double seconds) {
    if (seconds < 10) {
      return "%.1f s".formatted(seconds);
    }
    long whole = Math.round(seconds);
    if (whole < MINUTE) {
      return whole + " s";
    }
    return whole < HOUR
        ? "%d min %d s".formatted(whole / MINUTE, whole % MINUTE)
        : "%d h %d min".formatted(whole / HOUR, whole % HOUR / MINUTE);
  }
}
