package dev.freshet.core.labels.correction;

import dev.freshet.core.labels.LabelKind;
import java.io.Serializable;

/**
 * One answer to delayed labels: which examples leave the join at which moment of event time, and
 * what they weigh.
 *
 * <p>A correction is a pure function of a task's timeline. The join asks again whenever the
 * timeline changes, carries out each moment once, in order of time, with the label read as of that
 * moment, and never sooner than the watermark allows, so the order of arrival cannot matter. Every
 * plan holds exactly one {@link LabelKind#FINAL}, at {@link TaskTimeline#settled()}.
 */
public interface DelayCorrection extends Serializable {

  /** Tells {@code plan} every moment at which this task's label leaves the join. */
  void plan(TaskTimeline task, Plan plan);

  /** Receives the moments. */
  interface Plan {
    /**
     * @param learn whether the example is learnt from; if not it is only scored
     */
    void at(long time, LabelKind kind, boolean learn);
  }
}
