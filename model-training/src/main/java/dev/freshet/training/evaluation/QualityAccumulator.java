package dev.freshet.training.evaluation;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.labels.TaskKind;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInput;
import java.io.DataInputStream;
import java.io.DataOutput;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Scored labels of one task, summed up to what the metrics of its kind need.
 *
 * <pre>
 * long count | byte statistics, each: UTF name | int length | its bytes
 * </pre>
 *
 * A statistic that is not in the bytes begins with the next label; one of which this code knows
 * nothing is passed over.
 */
public final class QualityAccumulator {

  private final TaskKind kind;
  private final Map<Statistic.Type<?>, Statistic<?>> statistics = new LinkedHashMap<>();
  private final Statistic<?>[] all;
  private long count;

  public QualityAccumulator(TaskKind kind) {
    this.kind = kind;
    QualityMetric.statistics(kind).forEach(type -> statistics.put(type, type.empty().get()));
    all = statistics.values().toArray(Statistic<?>[]::new);
  }

  /**
   * @param prediction a probability, or an amount
   * @param label 0 or 1, or an amount
   */
  public void add(double prediction, double label) {
    for (Statistic<?> statistic : all) {
      statistic.add(prediction, label);
    }
    count++;
  }

  /** As {@link #add}, of a label that is scored at the base rate: nothing was known of its task. */
  public void addAtBaseRate(double prediction, double label) {
    add(prediction, label);
    statistic(AtBaseRate.TYPE).count();
  }

  /** Adds the labels of another one of the same kind. */
  public void merge(QualityAccumulator other) {
    statistics.keySet().forEach(type -> merge(type, other));
    count += other.count;
  }

  private <S extends Statistic<S>> void merge(Statistic.Type<S> type, QualityAccumulator other) {
    statistic(type).merge(other.statistic(type));
  }

  public long count() {
    return count;
  }

  /** The value of one metric; NaN where it is not defined, such as AUC of one class. */
  public double value(QualityMetric metric) {
    return metric.value(this);
  }

  /** All values that are defined. */
  public Map<QualityMetric, Double> metrics() {
    Map<QualityMetric, Double> metrics = new EnumMap<>(QualityMetric.class);
    for (QualityMetric metric : QualityMetric.all(kind)) {
      double value = value(metric);
      if (!Double.isNaN(value)) {
        metrics.put(metric, value);
      }
    }
    return metrics;
  }

  @SuppressWarnings("unchecked") // the constructor put it there under its own type
  <S extends Statistic<S>> S statistic(Statistic.Type<S> type) {
    return (S) requireNonNull(statistics.get(type));
  }

  public void write(DataOutput out) throws IOException {
    out.writeLong(count);
    List<Map.Entry<Statistic.Type<?>, Statistic<?>>> told =
        statistics.entrySet().stream().filter(each -> !each.getValue().blank()).toList();
    out.writeByte(told.size());
    for (Map.Entry<Statistic.Type<?>, Statistic<?>> each : told) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      each.getValue().write(new DataOutputStream(bytes));
      out.writeUTF(each.getKey().name());
      out.writeInt(bytes.size());
      out.write(bytes.toByteArray());
    }
  }

  public void read(DataInput in) throws IOException {
    count = in.readLong();
    int known = in.readByte();
    for (int i = 0; i < known; i++) {
      String name = in.readUTF();
      byte[] bytes = new byte[in.readInt()];
      in.readFully(bytes);
      for (Map.Entry<Statistic.Type<?>, Statistic<?>> each : statistics.entrySet()) {
        if (each.getKey().name().equals(name)) {
          each.getValue().read(new DataInputStream(new ByteArrayInputStream(bytes)));
        }
      }
    }
  }

  /**
   * Reads what a trainer's snapshot up to version 12 has: no names, all sums of a kind in a row.
   *
   * <pre>
   * binary: long count | long positives | double predictions | double log loss | histogram
   * amount: long count | double labels, absolute, squared | double predictions
   *     | double absolute errors, squared | sample without how many were seen
   * </pre>
   */
  void readUnnamed(DataInput in) throws IOException {
    count = in.readLong();
    if (kind == TaskKind.BINARY) {
      long positives = in.readLong();
      statistic(LabelTotals.TYPE).merge(new LabelTotals(count, in.readDouble(), positives));
      statistic(LogLoss.TYPE).merge(new LogLoss(count, positives, in.readDouble()));
      statistic(ScoreHistogram.TYPE).read(in);
    } else {
      double labels = in.readDouble();
      double absolute = in.readDouble();
      double squared = in.readDouble();
      statistic(LabelTotals.TYPE).merge(new LabelTotals(count, in.readDouble(), labels));
      statistic(AmountErrors.TYPE)
          .merge(
              new AmountErrors(count, labels, absolute, squared, in.readDouble(), in.readDouble()));
      statistic(AmountSample.TYPE).read(count, in);
    }
  }
}
