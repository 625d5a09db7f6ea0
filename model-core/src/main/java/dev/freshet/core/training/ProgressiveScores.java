package dev.freshet.core.training;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.training.TrainingSettings.Scoring;
import dev.freshet.core.training.evaluation.TaskQuality;
import dev.freshet.core.training.evaluation.ValueQuality;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;

/**
 * Progressive validation: every settled label against the prediction that was made before anything
 * was learnt from its impression, and against what the impression was served with.
 */
public final class ProgressiveScores {

  private final List<Task> tasks;
  private final Scoring settings;
  private final int watched;
  private final long absent;
  private final long from;
  private final long before;
  private final PendingScores pending;
  private TaskQuality quality;
  private TaskQuality servedQuality;
  private ValueQuality byValue;
  private boolean sawServed;

  public ProgressiveScores(List<Task> tasks, FeatureSchema schema, Scoring settings) {
    this.tasks = List.copyOf(tasks);
    this.settings = settings;
    List<String> fields = schema.fields().stream().map(FeatureField::name).toList();
    watched = fields.indexOf(settings.watch().field());
    absent = watched < 0 ? 0 : FeatureEncoder.absentKey(schema.fields().get(watched));
    from = settings.from() == null ? Long.MIN_VALUE : startOf(settings.from());
    before = settings.to() == null ? Long.MAX_VALUE : startOf(settings.to().plusDays(1));
    pending = new PendingScores(tasks.size());
    reset();
  }

  private static long startOf(LocalDate day) {
    return day.atStartOfDay(ZoneOffset.UTC).toInstant().toEpochMilli();
  }

  /** Forgets what was scored so far; announced predictions stay. */
  public void reset() {
    quality = new TaskQuality(tasks, settings.window());
    servedQuality = new TaskQuality(tasks, settings.window());
    byValue = watched < 0 ? null : newByValue();
    sawServed = false;
  }

  private ValueQuality newByValue() {
    return new ValueQuality(tasks, settings.watch().toSettings());
  }

  /**
   * Scores an example, or keeps the prediction until its labels come.
   *
   * @param predicted what would be served now, per task; NaN is not scored
   */
  void score(EncodedExample example, double[] predicted) {
    long value = value(example);
    if (value != 0) {
      byValue.see(value, example.eventTime());
    }
    boolean atImpression = settings.at() == Scoring.At.IMPRESSION;
    TaskLabel[] labels = example.labels();
    double[] scored = predicted;
    if (atImpression) {
      if (TaskLabel.noneOf(labels)) {
        pending.put(example.id(), predicted);
        return;
      }
      scored = pending.get(example.id());
    }
    if (scored != null && inRange(example)) {
      for (int task = 0; task < labels.length; task++) {
        if (labels[task].isFinal() && Double.isFinite(scored[task])) {
          quality.add(task, scored[task], labels[task].value());
          if (value != 0) {
            TaskLabel label = labels[task];
            byValue.add(
                task, value, example.eventTime(), scored[task], label.value(), label.delay());
          }
        }
      }
    }
    scoreServed(example);
    // The last task settles last, so nothing will ask for this prediction again.
    if (atImpression && labels[labels.length - 1].isFinal()) {
      pending.remove(example.id());
    }
  }

  /** Key of the watched field's first value; 0 for none, as of an impression without the field. */
  private long value(EncodedExample example) {
    if (watched < 0 || example.starts()[watched] == example.starts()[watched + 1]) {
      return 0;
    }
    long key = example.keys()[example.starts()[watched]];
    return key == absent ? 0 : key;
  }

  /** Scores what the impression was served with, if it says so. */
  public void scoreServed(EncodedExample example) {
    if (example.served().length == 0 || !inRange(example)) {
      return;
    }
    TaskLabel[] labels = example.labels();
    for (int task = 0; task < labels.length; task++) {
      if (labels[task].isFinal() && Float.isFinite(example.served()[task])) {
        sawServed = true;
        servedQuality.add(task, example.served()[task], labels[task].value());
      }
    }
  }

  /** Whether an example is from the days whose labels are scored. */
  public boolean inRange(EncodedExample example) {
    return example.eventTime() >= from && example.eventTime() < before;
  }

  /** Quality of the predictions, per task. */
  public Map<String, Map<String, Double>> quality() {
    return quality.metrics();
  }

  /** Quality of the scores that impressions brought with them, per task; empty if none did. */
  public Map<String, Map<String, Double>> servedQuality() {
    return sawServed ? servedQuality.metrics() : Map.of();
  }

  /** Calibration by the values of the watched field, or null if none is. */
  public ValueQuality byValue() {
    return byValue;
  }

  /** Predictions that wait for their labels. */
  public int pending() {
    return pending.size();
  }

  boolean sawServed() {
    return sawServed;
  }

  void write(DataOutput out) throws IOException {
    quality.write(out);
    servedQuality.write(out);
    pending.write(out);
  }

  void read(DataInput in, boolean servedWasSeen) throws IOException {
    sawServed = servedWasSeen;
    quality.read(in);
    servedQuality.read(in);
    pending.read(in);
  }

  void writeByValue(DataOutput out) throws IOException {
    out.writeBoolean(byValue != null);
    if (byValue != null) {
      byValue.write(out);
    }
  }

  void readByValue(DataInput in) throws IOException {
    if (in.readBoolean()) {
      ValueQuality known = byValue == null ? newByValue() : byValue;
      ValueQuality read = known.read(in);
      byValue = byValue == null ? null : read;
    }
  }
}
