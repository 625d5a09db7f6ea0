package dev.freshet.training.evaluation;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.labels.DelayBucket;
import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.TrainingSettings;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Calibration by the values of one field, for the binary tasks. Tells two things that the mean over
 * all examples hides:
 *
 * <ul>
 *   <li><b>Calibration per delay bucket.</b> A value's delay is the mean delay of its positives so
 *       far; predictions and outcomes are summed by the bucket that this delay was in before the
 *       outcome, so each bucket is a group of impressions that was known beforehand. A correction
 *       that loses late positives is off in the slow buckets first.
 *   <li><b>Time to calibrated.</b> Of values born after the first window of the run: from the birth
 *       to the begin of the first three windows in a row in which the sum of predictions was within
 *       the tolerance of the sum of outcomes. A value's window closes when it is as long as asked
 *       and has as many outcomes, predicted or real, as asked, or noise alone would decide.
 * </ul>
 *
 * <p>Sums are monotone, so rates of them can be taken. The number of values is bounded; the one
 * that was not seen for longest is forgotten.
 */
public final class ValueQuality {

  /** Windows in a row that a value has to be calibrated in. */
  public static final int WINDOWS = 3;

  /**
   * Settings of the watch.
   *
   * @param windowMillis shortest length of a value's window
   * @param tolerance how far the ratio may be from 1
   * @param outcomes least sum of predictions or outcomes of a window
   * @param values most values that are remembered
   */
  public record Settings(
      String field, long windowMillis, double tolerance, double outcomes, int values) {

    public static Settings of(TrainingSettings.Watch watch) {
      return new Settings(
          requireNonNull(watch.field(), "a field is watched"),
          watch.window().toMillis(),
          watch.tolerance(),
          watch.outcomes(),
          watch.values());
    }
  }

  private static final int UNKNOWN = DelayBucket.values().length;
  private static final double HOUR = 60 * 60 * 1000.0;

  private final List<Task> tasks;
  private final Settings settings;
  private final Map<Long, Value> values = new LinkedHashMap<>(16, 0.75f, true);
  private final double[][] predicted;
  private final double[][] happened;
  private final long[][] calibrated;
  private final double[] hours;
  private long births;
  private long first = Long.MIN_VALUE;

  public ValueQuality(List<Task> tasks, Settings settings) {
    this.tasks = List.copyOf(tasks);
    this.settings = settings;
    predicted = new double[tasks.size()][UNKNOWN + 1];
    happened = new double[tasks.size()][UNKNOWN + 1];
    calibrated = new long[tasks.size()][UNKNOWN];
    hours = new double[tasks.size()];
  }

  /** State of one value. */
  private static final class Value {
    private final long born;
    private final boolean isNew;
    private final OfTask[] tasks;

    Value(long born, boolean isNew, int tasks) {
      this.born = born;
      this.isNew = isNew;
      this.tasks = new OfTask[tasks];
      for (int i = 0; i < tasks; i++) {
        this.tasks[i] = new OfTask();
        this.tasks[i].from = born;
      }
    }
  }

  /** State of one value in one task. */
  private static final class OfTask {
    private double delays;
    private long positives;
    private long from;
    private double predicted;
    private double happened;
    private int good;
    private long goodFrom;
    private boolean done;
  }

  /** An impression with this value came. */
  public void see(long value, long eventTime) {
    if (first == Long.MIN_VALUE) {
      first = eventTime;
    }
    if (values.get(value) != null) {
      return;
    }
    boolean isNew = eventTime > first + settings.windowMillis;
    births += isNew ? 1 : 0;
    values.put(value, new Value(eventTime, isNew, tasks.size()));
    if (values.size() > settings.values) {
      Iterator<Long> oldest = values.keySet().iterator();
      oldest.next();
      oldest.remove();
    }
  }

  /**
   * A label is final.
   *
   * @param delay milliseconds to the positive, or below 0
   */
  public void add(
      int task, long value, long eventTime, double prediction, double label, long delay) {
    Value of = values.get(value);
    if (of == null || !tasks.get(task).binary()) {
      return;
    }
    OfTask known = of.tasks[task];
    int bucket =
        known.positives == 0 ? UNKNOWN : DelayBucket.of(known.delays / known.positives).ordinal();
    predicted[task][bucket] += prediction;
    happened[task][bucket] += label;
    if (label > 0 && delay >= 0) {
      known.delays += delay;
      known.positives++;
    }
    if (of.isNew && !known.done) {
      known.predicted += prediction;
      known.happened += label;
      if (eventTime - known.from >= settings.windowMillis
          && Math.max(known.predicted, known.happened) >= settings.outcomes) {
        close(task, of, eventTime);
      }
    }
  }

  private void close(int task, Value of, long now) {
    OfTask known = of.tasks[task];
    double ratio = known.predicted / known.happened;
    if (Math.abs(ratio - 1) <= settings.tolerance) {
      known.goodFrom = known.good == 0 ? known.from : known.goodFrom;
      known.good++;
    } else {
      known.good = 0;
    }
    if (known.good == WINDOWS) {
      known.done = true;
      double took = known.goodFrom - of.born;
      calibrated[task][DelayBucket.of(took).ordinal()]++;
      hours[task] += took / HOUR;
    }
    known.from = now;
    known.predicted = 0;
    known.happened = 0;
  }

  /** Values born after the first window of the run. */
  public long births() {
    return births;
  }

  /**
   * Sum of predictions of a task, by the delay of the value; null for values without a positive.
   */
  public double predicted(int task, DelayBucket bucket) {
    return predicted[task][bucket == null ? UNKNOWN : bucket.ordinal()];
  }

  /** Sum of outcomes of a task, by the delay of the value; null for values without a positive. */
  public double happened(int task, DelayBucket bucket) {
    return happened[task][bucket == null ? UNKNOWN : bucket.ordinal()];
  }

  /** New values that became calibrated after a time in this bucket. */
  public long calibrated(int task, DelayBucket bucket) {
    return calibrated[task][bucket.ordinal()];
  }

  /**
   * Task to metric: {@code calibration.<bucket>}, {@code newValues}, {@code calibratedValues},
   * {@code hoursToCalibrated} in the mean; what is not defined yet is left out.
   */
  public Map<String, Map<String, Double>> metrics() {
    Map<String, Map<String, Double>> all = new LinkedHashMap<>();
    for (int task = 0; task < tasks.size(); task++) {
      if (tasks.get(task).binary()) {
        all.put(tasks.get(task).name(), metrics(task));
      }
    }
    return all;
  }

  /** Names of a task's metrics in {@link #metrics}. */
  public static List<String> metricNames() {
    List<String> names =
        new ArrayList<>(List.of("newValues", "calibratedValues", "hoursToCalibrated"));
    for (DelayBucket bucket : DelayBucket.values()) {
      names.add("calibration." + bucket.label());
    }
    return names;
  }

  private Map<String, Double> metrics(int task) {
    Map<String, Double> metrics = new LinkedHashMap<>();
    for (DelayBucket bucket : DelayBucket.values()) {
      if (happened(task, bucket) > 0) {
        metrics.put(
            "calibration." + bucket.label(), predicted(task, bucket) / happened(task, bucket));
      }
    }
    long done = 0;
    for (long count : calibrated[task]) {
      done += count;
    }
    metrics.put("newValues", (double) births);
    metrics.put("calibratedValues", (double) done);
    if (done > 0) {
      metrics.put("hoursToCalibrated", hours[task] / done);
    }
    return metrics;
  }

  public void write(DataOutput out) throws IOException {
    out.writeUTF(settings.field);
    out.writeLong(first);
    out.writeLong(births);
    for (int task = 0; task < tasks.size(); task++) {
      for (int bucket = 0; bucket <= UNKNOWN; bucket++) {
        out.writeDouble(predicted[task][bucket]);
        out.writeDouble(happened[task][bucket]);
      }
      for (long count : calibrated[task]) {
        out.writeLong(count);
      }
      out.writeDouble(hours[task]);
    }
    out.writeInt(values.size());
    for (Map.Entry<Long, Value> entry : values.entrySet()) {
      out.writeLong(entry.getKey());
      out.writeLong(entry.getValue().born);
      out.writeBoolean(entry.getValue().isNew);
      for (OfTask known : entry.getValue().tasks) {
        out.writeDouble(known.delays);
        out.writeLong(known.positives);
        out.writeLong(known.from);
        out.writeDouble(known.predicted);
        out.writeDouble(known.happened);
        out.writeInt(known.good);
        out.writeLong(known.goodFrom);
        out.writeBoolean(known.done);
      }
    }
  }

  /**
   * The inverse of {@link #write}, for one that is new. What was known of another field is read and
   * dropped.
   *
   * @return this, or an empty one of the same settings
   */
  public ValueQuality read(DataInput in) throws IOException {
    String field = in.readUTF();
    first = in.readLong();
    births = in.readLong();
    for (int task = 0; task < tasks.size(); task++) {
      for (int bucket = 0; bucket <= UNKNOWN; bucket++) {
        predicted[task][bucket] = in.readDouble();
        happened[task][bucket] = in.readDouble();
      }
      for (int bucket = 0; bucket < UNKNOWN; bucket++) {
        calibrated[task][bucket] = in.readLong();
      }
      hours[task] = in.readDouble();
    }
    int size = in.readInt();
    for (int i = 0; i < size; i++) {
      long key = in.readLong();
      Value value = new Value(in.readLong(), in.readBoolean(), tasks.size());
      for (OfTask known : value.tasks) {
        known.delays = in.readDouble();
        known.positives = in.readLong();
        known.from = in.readLong();
        known.predicted = in.readDouble();
        known.happened = in.readDouble();
        known.good = in.readInt();
        known.goodFrom = in.readLong();
        known.done = in.readBoolean();
      }
      values.put(key, value);
    }
    return field.equals(settings.field) ? this : new ValueQuality(tasks, settings);
  }
}
