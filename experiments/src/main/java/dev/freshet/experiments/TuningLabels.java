package dev.freshet.experiments;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.training.TargetScale;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The labels of a task among some events, before anything is learnt: can candidates be judged by it
 * at all? Counted beside all labels are positives, of amounts those other than 0.
 *
 * @param known labels that are learnt before the first judged impression comes
 * @param knownPositive those of them that are positive
 * @param judged labels of impressions from the judged time on
 * @param positive those of them that are positive
 * @param least and {@code most}: the smallest and the largest of the judged
 */
record TuningLabels(
    Task task, int known, int knownPositive, int judged, int positive, double least, double most) {

  /** Positive labels without which it is a matter of luck who is better. */
  private static final int FEW = 20;

  /**
   * @param examples in the order in which they are learnt, with the announced ones
   * @param since when the impressions that are looked at begin
   * @param from when judged impressions begin
   */
  static TuningLabels of(
      Task task, int place, List<EncodedExample> examples, long since, long from) {
    int judged = 0;
    int positive = 0;
    double least = Double.POSITIVE_INFINITY;
    double most = Double.NEGATIVE_INFINITY;
    int known = 0;
    int knownPositive = 0;
    boolean began = false;
    for (EncodedExample example : examples) {
      if (example.eventTime() < since) {
        continue;
      }
      TaskLabel label = example.labels()[place];
      began |= example.eventTime() >= from;
      if (label.isFinal() && example.eventTime() >= from) {
        judged++;
        positive += label.value() != 0 ? 1 : 0;
        least = Math.min(least, label.value());
        most = Math.max(most, label.value());
      }
      boolean learnt = label.kind() != LabelKind.NONE && label.weight() > 0 && !example.holdout();
      if (!began && learnt) {
        known++;
        knownPositive += label.value() != 0 ? 1 : 0;
      }
    }
    return new TuningLabels(task, known, knownPositive, judged, positive, least, most);
  }

  /** How far from the truth a prediction of this task is measured. */
  String measure() {
    return task.binary() ? "log loss" : least < 0 ? "squared error" : "Poisson's deviance";
  }

  /** The counts, in words. */
  String counts() {
    return line(
        "%s: %,d %s known before the judged half, %,d %s; in it %,d, %,d %s",
        task.name(),
        known,
        task.binary() ? "labels" : "amounts",
        knownPositive,
        positives(),
        judged,
        positive,
        positives());
  }

  private String positives() {
    return task.binary() ? "positive" : least < 0 ? "not 0" : "above 0";
  }

  /** Why nobody can be judged by this task, or only by luck; null if all can. */
  @Nullable String fault() {
    String name = task.name();
    if (judged == 0) {
      return name + " has no label in the judged half";
    }
    if (least == most) {
      return line(
          "all %,d %s of %s in the judged half are %s",
          judged,
          task.binary() ? "labels" : "amounts",
          name,
          !task.binary() ? number(least) : positive > 0 ? "positive" : "negative");
    }
    if (task.binary() && known == 0) {
      return "no label of " + name + " was known before the judged half";
    }
    if (!task.binary() && knownPositive < TargetScale.FEWEST) {
      return line(
          "only %,d amounts of %s %s were known before the judged half, of %,d needed",
          knownPositive, name, positives(), TargetScale.FEWEST);
    }
    boolean rarePositives = !task.binary() || positive <= judged - positive;
    int rarer = rarePositives ? positive : judged - positive;
    return rarer >= FEW
        ? null
        : line(
            "of %,d %s of %s in the judged half only %,d %s %s, of %,d needed",
            judged,
            task.binary() ? "labels" : "amounts",
            name,
            rarer,
            rarer == 1 ? "is" : "are",
            rarePositives ? positives() : "negative",
            FEW);
  }

  private static String number(double value) {
    return value == 0 ? "0" : String.valueOf(value);
  }

  private static String line(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
