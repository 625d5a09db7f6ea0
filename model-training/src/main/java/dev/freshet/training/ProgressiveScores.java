package dev.freshet.training;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.features.FeatureEncoder;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.TrainingSettings.Scoring;
import dev.freshet.training.evaluation.Quality;
import dev.freshet.training.evaluation.TaskQuality;
import dev.freshet.training.evaluation.ValueQuality;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Progressive validation: every final label against the prediction that was made before anything of
 * its impression was learnt, and against what the impression was served with. A model that has
 * learnt the click of an impression knows more of its purchase than one that is served ever could;
 * so the first prediction is kept until the last label is final.
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
  private @Nullable ValueQuality byValue;
  private boolean sawServed;

  public ProgressiveScores(List<Task> tasks, FeatureSchema schema, Scoring settings) {
    this.tasks = List.copyOf(tasks);
    this.settings = settings;
    List<String> fields = schema.fields().stream().map(FeatureField::name).toList();
    watched = fields.indexOf(settings.watch().field());
    absent = watched < 0 ? 0 : FeatureEncoder.absentKey(schema.fields().get(watched));
    from = settings.from() == null ? Long.MIN_VALUE : startOf(settings.from());
    before = settings.to() == null ? Long.MAX_VALUE : startOf(settings.to().plusDays(1));
    pending = new PendingScores(tasks.size(), settings.pending());
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
    return new ValueQuality(tasks, ValueQuality.Settings.of(settings.watch()));
  }

  /**
   * Scores an example, or keeps the prediction until its labels come.
   *
   * @param now predictions that would be served now, and the step of the training that is about to
   *     be taken; null if they are not {@link #asks asked for}
   * @param constant predictions of one that knows no example from another, as it would serve them
   *     now, per task; counts where nothing had been learnt of a task when its prediction had to be
   *     made, as in the first window of a stream; NaN is not scored
   * @return predictions that its labels are scored against; null if they are not
   */
  PendingScores.@Nullable First score(
      EncodedExample example, PendingScores.@Nullable First now, double[] constant) {
    long value = value(example);
    if (value != 0) {
      requireNonNull(byValue).see(value, example.eventTime());
    }
    TaskLabel[] labels = example.labels();
    PendingScores.First first = first(example, now);
    if (first != null && inRange(example)) {
      for (int task = 0; task < labels.length; task++) {
        double said = first.predicted()[task];
        double scored = Double.isNaN(said) ? constant[task] : said;
        if (labels[task].isFinal() && Double.isFinite(scored)) {
          if (Double.isNaN(said)) {
            quality.addAtBaseRate(task, scored, labels[task].value());
          } else {
            quality.add(task, scored, labels[task].value());
          }
          if (value != 0) {
            TaskLabel label = labels[task];
            requireNonNull(byValue)
                .add(task, value, example.eventTime(), scored, label.value(), label.delay());
          }
        }
      }
    }
    if (!TaskLabel.noneOf(labels)) {
      scoreServed(example);
    }
    return first;
  }

  /** True if a prediction for an example would be kept or scored: there is none from before. */
  boolean asks(EncodedExample example) {
    return fresh(example) && pending.keeps(example.id()) && pending.get(example.id()) == null;
  }

  /** Where impressions are announced, one that was not is not known to be new. */
  private boolean fresh(EncodedExample example) {
    return settings.at() == Scoring.At.LABEL || TaskLabel.noneOf(example.labels());
  }

  private PendingScores.@Nullable First first(
      EncodedExample example, PendingScores.@Nullable First now) {
    TaskLabel[] labels = example.labels();
    // The last task's label is the last to be final, so nothing will ask for this prediction again.
    boolean last = labels[labels.length - 1].isFinal();
    PendingScores.First first = pending.get(example.id());
    if (first != null && last) {
      pending.remove(example.id());
    }
    if (first == null && fresh(example) && pending.keeps(example.id())) {
      first = requireNonNull(now, "asks() told so");
      if (!last) {
        pending.put(example.id(), first);
      }
    }
    return first;
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

  /** True if an example is from the days whose labels are scored. */
  public boolean inRange(EncodedExample example) {
    return example.eventTime() >= from && example.eventTime() < before;
  }

  /** Quality of the predictions, per task. */
  public Quality quality() {
    return quality.quality();
  }

  /** Quality of the scores that impressions brought with them, per task; empty if none did. */
  public Quality servedQuality() {
    return sawServed ? servedQuality.quality() : Quality.NONE;
  }

  /** Calibration by the values of the watched field, or null if none is. */
  public @Nullable ValueQuality byValue() {
    return byValue;
  }

  /** Share of the impressions that is scored; below 1 if more would wait than may be kept. */
  public double share() {
    return pending.share();
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

  void read(DataInput in, boolean servedWasSeen, int version) throws IOException {
    sawServed = servedWasSeen;
    boolean named = version >= TrainerSnapshot.WITH_STATISTICS;
    quality.read(in, named);
    servedQuality.read(in, named);
    pending.read(in, version);
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
