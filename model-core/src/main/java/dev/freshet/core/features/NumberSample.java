package dev.freshet.core.features;

import dev.freshet.core.codec.Bytes;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.DoubleStream;

/**
 * A uniform sample of impressions' numbers: of those whose ids have the smallest hashes. It is the
 * same for the same impressions in any order and however often each comes, so nothing in it is left
 * to chance, and training from a log gives the same bytes. Sketches that libraries have (KLL, REQ)
 * toss coins, and those that do not (DDSketch) tell no years apart.
 */
final class NumberSample {

  private final int most;
  private final TreeMap<Long, double[]> kept = new TreeMap<>();

  /**
   * @param most impressions that are kept
   */
  NumberSample(int most) {
    this.most = most;
  }

  /** True if the numbers of an impression would be kept. */
  boolean wants(long id) {
    return kept.size() < most || place(id) < kept.lastKey();
  }

  void add(long id, double[] numbers) {
    kept.put(place(id), numbers);
    if (kept.size() > most) {
      kept.pollLastEntry();
    }
  }

  /** Another hash than that which says which impressions are held out or left out. */
  private static long place(long id) {
    long hash = (id ^ id >>> 32) * 0x9E3779B97F4A7C15L;
    return (hash ^ hash >>> 29) * 0xBF58476D1CE4E5B9L;
  }

  int size() {
    return kept.size();
  }

  void clear() {
    kept.clear();
  }

  /** The finite ones among the numbers of that place, ascending. */
  double[] sorted(int index) {
    return kept.values().stream()
        .mapToDouble(numbers -> numbers[index])
        .filter(Double::isFinite)
        .sorted()
        .toArray();
  }

  /** Count, and of each impression: long place | doubles. */
  void write(DataOutput out) throws IOException {
    Bytes.writeCount(out, kept.size());
    for (Map.Entry<Long, double[]> entry : kept.entrySet()) {
      out.writeLong(entry.getKey());
      Bytes.writeDoubles(out, entry.getValue());
    }
  }

  void read(DataInput in) throws IOException {
    kept.clear();
    int size = Bytes.readCount(in);
    for (int i = 0; i < size; i++) {
      long place = in.readLong();
      kept.put(place, Bytes.readDoubles(in));
    }
  }

  /** Sum of values, for means that do not run over. */
  static double mean(double[] values) {
    return DoubleStream.of(values).map(value -> value / values.length).sum();
  }
}
