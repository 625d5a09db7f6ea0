package dev.freshet.training;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.pipeline.TrainingSettings;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A step on a batch that the network has gathered. */
final class BatchStep {

  /** Amounts after which one more hardly moves their scale. */
  private static final int MANY_AMOUNTS = 1000;

  private final Learner learner;
  private final TrainingSettings settings;
  private final BatchTargets targets;
  private final BaseRates rates;
  private final BatchFaults faults;
  private float[][] said = {};
  private float[] losses = {};
  private float norm;

  BatchStep(
      Learner learner,
      TrainingSettings settings,
      BatchTargets targets,
      BaseRates rates,
      BatchFaults faults) {
    this.learner = learner;
    this.settings = settings;
    this.targets = targets;
    this.rates = rates;
    this.faults = faults;
  }

  /**
   * True if what the next step predicts in its own forward pass is what the model says before it:
   * without noise, and with biases that the batch has not moved. As long as a batch moves base
   * rates or the scale of amounts far it moves biases first, or the step would learn that with all
   * its weights.
   *
   * @param scale of amounts before the batch; null without a core task
   */
  boolean predicts(@Nullable TargetScale scale, int batch) {
    return !learner.network().noisy()
        && !targets.readPredictions()
        && rates.hardlyMove(batch)
        && (scale == null || scale.pace() >= BaseRates.paceOf(MANY_AMOUNTS));
  }

  /**
   * Learns.
   *
   * @param predicted what the model says of the batch, if it was asked; null if the step {@link
   *     #predicts} it
   * @param scale of amounts; null without a core task
   * @param given examples of the whole batch, of which some may be left out
   * @param examples learnt so far, the batch among them
   * @param steps taken so far
   * @return true if the step was taken
   */
  boolean take(
      List<EncodedExample> batch,
      float @Nullable [][] predicted,
      @Nullable TargetScale scale,
      int given,
      long examples,
      long steps) {
    // A loss is divided by the number of its rows. This makes it that of a full batch, so that an
    // example counts the same in a batch that was flushed early, or of which some are only scored.
    float share = batch.size() / (float) Math.max(given, settings.batchAfter(examples - given));
    Runnable undo = rates.mark();
    Learner.Targets taught = targets.of(batch, predicted, scale, share);
    if (predicted != null) {
      targets.moveBiases();
    }
    Learner.StepReport report = learner.learn(taught, settings, steps);
    said = predicted == null ? report.said() : predicted;
    losses = report.losses();
    for (int task = 0; task < losses.length; task++) {
      losses[task] /= share;
    }
    norm = report.norm();
    if (!report.taken()) {
      undo.run();
      faults.notTaken(steps, batch, taught, said, report, losses);
      return false;
    }
    if (predicted == null) {
      targets.moveBiases();
    }
    faults.taken();
    if (report.clipped()) {
      faults.clipped(steps, "a gradient (the dense weights' has a norm of " + norm + ")");
    }
    return true;
  }

  /** Predictions for the last batch from before its step, in the model's scale. */
  float[][] said() {
    return said;
  }

  /** Loss of each task at the last step. */
  float[] losses() {
    return losses;
  }

  /** Norm of the dense gradient at the last step. */
  float norm() {
    return norm;
  }
}
