package dev.freshet.benchmarks;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Times of things that were measured by turns: one number of each a round. A ratio is taken round
 * by round, and its median is told, so that what slows the machine for a while slows both sides.
 */
public final class Rounds {

  private final Map<String, List<Double>> times = new LinkedHashMap<>();

  public void add(String name, double milliseconds) {
    times.computeIfAbsent(name, n -> new ArrayList<>()).add(milliseconds);
  }

  public boolean has(String name) {
    return times.containsKey(name);
  }

  public double median(String name) {
    return middle(times.get(name));
  }

  /** Median of the rounds' quotients. */
  public double ratio(String above, String below) {
    List<Double> a = times.get(above);
    List<Double> b = times.get(below);
    List<Double> quotients = new ArrayList<>();
    for (int i = 0; i < a.size(); i++) {
      quotients.add(a.get(i) / b.get(i));
    }
    return middle(quotients);
  }

  /** All of them, by name: one a round. */
  public Map<String, List<Double>> all() {
    return times;
  }

  private static double middle(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int half = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(half)
        : (sorted.get(half - 1) + sorted.get(half)) / 2;
  }
}
