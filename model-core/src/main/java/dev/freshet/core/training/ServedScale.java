package dev.freshet.core.training;

import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.labels.correction.NegativeSampling;
import java.util.List;

/**
 * From what a model says to what is served and scored: left-out noes are put back, then the delay
 * correction's inverse is applied; an amount goes back to its own unit. The trainer and the replica
 * both go through here.
 *
 * @param core index of the core task, or -1
 * @param amounts scale of the core task; null without one
 * @param corrections one per task
 */
public record ServedScale(
    int core, AmountScale amounts, List<DelayCorrections> corrections, NegativeSampling sampling) {

  /** What is served for all tasks. */
  public double[] served(float[] said) {
    double[] served = new double[said.length];
    for (int task = 0; task < said.length; task++) {
      served[task] = served(task, said[task]);
    }
    return served;
  }

  /** What is served for a task. */
  public double served(int task, double said) {
    return task == core
        ? amounts.decode(said)
        : corrections.get(task).served(sampling.served(said));
  }
}
