package dev.freshet.local.experiment;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.training.TargetScale;
import java.util.List;
import java.util.Locale;

/**
 * What the labels of some events tell of a task before anything is learnt: whether candidates can
 * be judged by it at all.
 *
 * @param judged labels of impressions from the judged time on
 * @param positive those above 0
 * @param least and {@code most}: the smallest and the largest of them
 * @param before labels that are learnt before the first judged impression comes; of amounts, those
 *     other than 0
 */
record TuningLabels(Task task, int judged, int positive, double least, double most, int before) {

  /** Positive labels without which a round of a part of the events is a matter of luck. */
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
    int before = 0;
    boolean began = false;
    for (EncodedExample example : examples) {
      if (example.eventTime() < since) {
        continue;
      }
      TaskLabel label = example.labels()[place];
      began |= example.eventTime() >= from;
      if (label.isFinal() && example.eventTime() >= from) {
        judged++;
        positive += label.value() > 0 ? 1 : 0;
        least = Math.min(least, label.value());
        most = Math.max(most, label.value());
      }
      boolean learnt = label.kind() != LabelKind.NONE && label.weight() > 0 && !example.holdout();
      if (!began && learnt && (task.binary() || label.value() != 0)) {
        before++;
      }
    }
    return new TuningLabels(task, judged, positive, least, most, before);
  }

  /** How far from the truth a prediction of this task is measured. */
  String measure() {
    return task.binary() ? "log loss" : least < 0 ? "squared error" : "Poisson's deviance";
  }

  /** Why nobody can be judged by this task; null if one can. */
  String fault() {
    String name = task.name();
    if (judged == 0) {
      return name + " has no label there";
    }
    if (least == most) {
      return task.binary() || most == 0
          ? line(
              "all %,d labels of %s there are %s",
              judged, name, positive > 0 ? "yes" : task.binary() ? "no: it has no positive" : "0")
          : line("all %,d amounts of %s there are %s", judged, name, least);
    }
    int needed = task.binary() ? 1 : TargetScale.FEWEST;
    if (before < needed) {
      return before == 0
          ? "no label of " + name + " was known before it"
          : line(
              "only %,d amounts of %s were known before it, of %,d needed", before, name, needed);
    }
    return null;
  }

  /** Why it is a matter of luck who is better by this task; null if it is not. */
  String tooFew() {
    int rarer = task.binary() ? Math.min(positive, judged - positive) : positive;
    if (fault() != null || least < 0 || rarer >= FEW) {
      return fault();
    }
    return line("of %,d labels of %s there are only %,d positive", judged, task.name(), positive);
  }

  private static String line(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
