package dev.freshet.local.replay;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/**
 * When the lines of a file may have arrived, told from their neighbours, so that one line with a
 * wrong clock stands out. Lines are in the order of time, about; nothing else is assumed of their
 * distances.
 *
 * <p>A line arrived at the upper quartile of the times of the {@value #SIDE} lines before and
 * behind it, and three times the distance between the quartiles later: what is further ahead is an
 * outlier by the usual measure (Tukey's outer fence), while a gap in the data, a day between lines
 * or some disorder is none. Near the end of a file fewer lines follow, and a gap before the last
 * few would look like wrong clocks: there a line may also stand as far above the median of as many
 * lines before as behind it.
 *
 * @param <L> a line, with all that is to be done with it
 */
public final class ArrivalTimes<L> {

  /** No event time can be read. */
  public static final long UNKNOWN = Long.MIN_VALUE;

  private static final int SIDE = 50;
  private static final int FENCE = 3;

  /** Takes lines in their order. */
  public interface Output<L> {
    /**
     * @param arrived epoch milliseconds, or {@link #UNKNOWN}
     */
    void line(L line, long arrived) throws java.io.IOException;
  }

  private record Timed<L>(L line, long time) {}

  private final Output<L> output;
  private final Deque<Long> before = new ArrayDeque<>();
  private final Deque<Timed<L>> waiting = new ArrayDeque<>();
  private int timed;

  public ArrivalTimes(Output<L> output) {
    this.output = output;
  }

  /**
   * The next line of the file; leaves when enough others have followed.
   *
   * @param time epoch milliseconds that the line says, or {@link #UNKNOWN}
   */
  public void add(L line, long time) throws java.io.IOException {
    waiting.add(new Timed<>(line, time));
    timed += time == UNKNOWN ? 0 : 1;
    while (timed > SIDE + 1 || !waiting.isEmpty() && waiting.peek().time() == UNKNOWN) {
      leave(false);
    }
  }

  /** The file is over: all lines leave. */
  public void end() throws java.io.IOException {
    while (!waiting.isEmpty()) {
      leave(true);
    }
    before.clear();
  }

  private void leave(boolean ended) throws java.io.IOException {
    Timed<L> next = waiting.peek();
    if (next.time() == UNKNOWN) {
      waiting.remove();
      output.line(next.line(), UNKNOWN);
      return;
    }
    List<Long> behind = new ArrayList<>(SIDE);
    for (Timed<L> other : waiting) {
      if (other != next && other.time() != UNKNOWN) {
        behind.add(other.time());
      }
    }
    long[] quartiles = quartiles(next.time(), behind);
    long fence = FENCE * (quartiles[1] - quartiles[0]);
    long arrived = quartiles[1] + fence;
    if (ended && behind.size() < SIDE) {
      arrived = Math.max(arrived, median(next.time(), behind) + fence);
    }
    waiting.remove();
    timed--;
    before.add(next.time());
    if (before.size() > SIDE) {
      before.remove();
    }
    output.line(next.line(), arrived);
  }

  /** The lower and the upper one. */
  private long[] quartiles(long time, List<Long> behind) {
    long[] all = new long[before.size() + 1 + behind.size()];
    int i = 0;
    for (long other : before) {
      all[i++] = other;
    }
    all[i++] = time;
    for (long other : behind) {
      all[i++] = other;
    }
    Arrays.sort(all);
    return new long[] {all[all.length / 4], all[all.length * 3 / 4]};
  }

  /** Of as many lines before as behind. */
  private long median(long time, List<Long> behind) {
    int side = Math.min(behind.size(), before.size());
    long[] all = new long[2 * side + 1];
    int i = 0;
    int skip = before.size() - side;
    for (long other : before) {
      if (skip-- <= 0) {
        all[i++] = other;
      }
    }
    all[i++] = time;
    for (int j = 0; j < side; j++) {
      all[i++] = behind.get(j);
    }
    Arrays.sort(all);
    return all[side];
  }
}
