package dev.freshet.local.screen;

import java.util.ArrayList;
import java.util.List;

/** The course of a figure as a row of bars, higher where it is better. */
public final class Trend {

  /** Bars at most. */
  public static final int BARS = 10;

  private static final String HEIGHTS = "▁▂▃▄▅▆▇█";

  /** Differences below this are none: the bars of a figure that stands still are all alike. */
  private static final double STILL = 0.01;

  private final List<Double> values = new ArrayList<>();
  private int every = 1;
  private int passed;

  /**
   * Adds the newest value.
   *
   * @param value the better the larger; what is no finite number is left out
   */
  public void add(double value) {
    if (!Double.isFinite(value)) {
      return;
    }
    if (++passed < every) {
      return;
    }
    passed = 0;
    values.add(value);
    if (values.size() == 2 * BARS) {
      // Half of what was is enough to see the whole course.
      for (int i = 0; i < BARS; i++) {
        values.remove(i);
      }
      every *= 2;
    }
  }

  /** Of at most {@link #BARS} characters; the last is the newest. */
  @Override
  public String toString() {
    int shown = Math.min(BARS, values.size());
    double least = values.stream().mapToDouble(v -> v).min().orElse(0);
    double most = values.stream().mapToDouble(v -> v).max().orElse(0);
    double span = Math.max(STILL, most - least);
    StringBuilder bars = new StringBuilder();
    for (int i = 0; i < shown; i++) {
      int at = shown == 1 ? values.size() - 1 : i * (values.size() - 1) / (shown - 1);
      double height = (values.get(at) - least) / span;
      bars.append(HEIGHTS.charAt((int) Math.round(height * (HEIGHTS.length() - 1))));
    }
    return bars.toString();
  }
}
