package dev.freshet.training.evaluation;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Quality over the newest scored labels: eight parts, of which the oldest is dropped whenever the
 * newest is full. A window of 0 keeps everything in one part.
 */
public final class SlidingQuality<A extends Accumulator<A>> {

  private static final int PARTS = 8;

  private final Supplier<A> factory;
  private final long partSize;
  private final ArrayDeque<A> parts = new ArrayDeque<>();

  public SlidingQuality(Supplier<A> factory, int window) {
    this.factory = factory;
    partSize = window == 0 ? Long.MAX_VALUE : Math.max(1, window / PARTS);
    parts.add(factory.get());
  }

  public void add(double prediction, double label) {
    if (parts.getLast().count() >= partSize) {
      parts.addLast(factory.get());
      if (parts.size() > PARTS) {
        parts.removeFirst();
      }
    }
    parts.getLast().add(prediction, label);
  }

  /** The metrics by name, with {@code examples}, the number of labels they are taken over. */
  public Map<String, Double> metrics() {
    A all = factory.get();
    parts.forEach(all::merge);
    Map<String, Double> metrics = new LinkedHashMap<>(all.metrics());
    metrics.put("examples", (double) all.count());
    return metrics;
  }

  public void write(DataOutput out) throws IOException {
    out.writeByte(parts.size());
    for (A part : parts) {
      part.write(out);
    }
  }

  public void read(DataInput in) throws IOException {
    parts.clear();
    int count = in.readByte();
    for (int i = 0; i < count; i++) {
      A part = factory.get();
      part.read(in);
      parts.add(part);
    }
  }
}
