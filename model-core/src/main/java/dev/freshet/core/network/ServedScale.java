package dev.freshet.core.network;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.labels.correction.NegativeSampling;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * From what a model says to the calibrated prediction, which is served and scored: negatives that
 * sampling left out are put back, then the delay correction's inverse is applied, then what sets
 * examples apart is shrunk; an amount goes back to its own unit. The trainer and the replica both
 * go through here.
 *
 * @param context of the model
 * @param amounts scale of the core task; null without one
 * @param corrections one per task
 * @param shrinkages one per task; what it says of the core task is not used
 */
public record ServedScale(
    ModelContext context,
    @Nullable AmountScale amounts,
    List<DelayCorrections> corrections,
    NegativeSampling sampling,
    List<Shrinkage> shrinkages) {

  /** The calibrated predictions of all tasks, as they are served. */
  public double[] served(float[] said) {
    return shrunk(unshrunk(said));
  }

  /** The predictions that would be served for all tasks with slopes of 1. */
  public double[] unshrunk(float[] said) {
    double[] unshrunk = new double[said.length];
    for (int task = 0; task < said.length; task++) {
      unshrunk[task] =
          task == context.core()
              ? requireNonNull(amounts).decode(said[task])
              : unshrunk(task, said[task]);
    }
    return unshrunk;
  }

  /** The prediction that would be served for a binary task with a slope of 1. */
  double unshrunk(int task, double said) {
    return corrections.get(task).served(sampling.served(said));
  }

  /** The step between {@link #unshrunk} and {@link #served}. */
  public double[] shrunk(double[] unshrunk) {
    double[] served = unshrunk.clone();
    for (int task = 0; task < served.length; task++) {
      if (task == context.core()) {
        continue;
      }
      served[task] = shrinkages.get(task).served(unshrunk[task]);
      int parent = parent(task);
      // Slopes of their own must not make a step likelier than the step before it.
      if (parent >= 0 && unshrunk[task] <= unshrunk[parent]) {
        served[task] = Math.min(served[task], served[parent]);
      }
    }
    return served;
  }

  /** The task without which this one cannot be positive, or -1. */
  private int parent(int task) {
    return context.model().conditional() ? task - 1 : Task.parent(context.tasks(), task);
  }
}
