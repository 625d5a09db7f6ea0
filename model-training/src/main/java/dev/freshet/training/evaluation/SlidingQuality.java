package dev.freshet.training.evaluation;

import dev.freshet.core.labels.TaskKind;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Map;

/**
 * Quality over the newest scored labels of one task: eight parts, of which the oldest is dropped
 * whenever the newest is full. A window of 0 keeps everything in one part.
 */
public final class SlidingQuality {

  private static final int PARTS = 8;

  private final TaskKind kind;
  private final long partSize;
  private final ArrayDeque<QualityAccumulator> parts = new ArrayDeque<>();

  public SlidingQuality(TaskKind kind, int window) {
    this.kind = kind;
    partSize = window == 0 ? Long.MAX_VALUE : Math.max(1, window / PARTS);
    parts.add(new QualityAccumulator(kind));
  }

  public void add(double prediction, double label) {
    newest().add(prediction, label);
  }

  /** As {@link #add}, of a label that is scored at the base rate. */
  public void addAtBaseRate(double prediction, double label) {
    newest().addAtBaseRate(prediction, label);
  }

  private QualityAccumulator newest() {
    if (parts.getLast().count() >= partSize) {
      parts.addLast(new QualityAccumulator(kind));
      if (parts.size() > PARTS) {
        parts.removeFirst();
      }
    }
    return parts.getLast();
  }

  /** All values that are defined, over all parts. */
  public Map<QualityMetric, Double> metrics() {
    QualityAccumulator all = new QualityAccumulator(kind);
    parts.forEach(all::merge);
    return all.metrics();
  }

  public void write(DataOutput out) throws IOException {
    out.writeByte(parts.size());
    for (QualityAccumulator part : parts) {
      part.write(out);
    }
  }

  /**
   * @param named true if statistics have names, as from version 13 of a trainer's snapshot
   */
  public void read(DataInput in, boolean named) throws IOException {
    parts.clear();
    int count = in.readByte();
    for (int i = 0; i < count; i++) {
      QualityAccumulator part = new QualityAccumulator(kind);
      if (named) {
        part.read(in);
      } else {
        part.readUnnamed(in);
      }
      parts.add(part);
    }
  }
}
