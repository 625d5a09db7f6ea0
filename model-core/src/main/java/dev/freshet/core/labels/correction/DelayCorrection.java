package dev.freshet.core.labels.correction;

import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.TaskKind;
import java.io.Serializable;

/**
 * One answer to delayed labels: which examples leave the join at which moment of event time, what
 * they weigh, and what has to be done to a prediction.
 *
 * <p>{@link #plan} is a pure function of a task's timeline. The join asks again whenever the
 * timeline changes, carries out each moment once, in order of time, with the label read as of that
 * moment, and never sooner than the watermark allows, so the order of arrival cannot matter. Every
 * plan holds exactly one {@link LabelKind#FINAL}, and nothing after it.
 *
 * <p>{@link #target} and {@link #served} are plain arithmetic on doubles, so nothing of a weight
 * ever reaches a gradient.
 */
public interface DelayCorrection extends Serializable {

  /** Names to {@code plan} every moment at which this task's label is emitted by the join. */
  void plan(TaskTimeline task, Plan plan);

  /** True if tasks of this kind may be treated like this. */
  default boolean suits(TaskKind kind) {
    return true;
  }

  /**
   * True if an impression is learnt from before its label is final. A prediction made after that
   * would be judged on what the model has learnt of it.
   */
  default boolean learnsEarly() {
    return true;
  }

  /** True if {@link #target} reads {@link Estimates#late} or {@link Estimates#stays}. */
  default boolean estimates() {
    return false;
  }

  /** True if {@link #target} reads {@link Estimates#p}, what the model itself predicts. */
  default boolean readsPrediction() {
    return false;
  }

  /** True if an amount is emitted again with each event that changes it. */
  default boolean emitsChanges() {
    return false;
  }

  /** Number of parts of a window at whose ends a pending impression is emitted; 0 for none. */
  default int parts() {
    return 0;
  }

  /** True if it asks for outcomes that are reported, positive and negative alike. */
  default boolean needsReports() {
    return false;
  }

  /**
   * Label and importance weight that a record teaches.
   *
   * @param kind of the record
   * @param label 0 or 1, or the amount, as the record tells it
   */
  default Target target(LabelKind kind, double label, Estimates estimates) {
    return new Target(label, 1);
  }

  /** From what the model predicts to the probability that is served and scored. */
  default double served(double predicted) {
    return predicted;
  }

  /** Receives the moments. */
  interface Plan {
    /**
     * @param learn true if the example is learnt from; if not it is only scored
     */
    void at(long time, LabelKind kind, boolean learn);
  }
}
