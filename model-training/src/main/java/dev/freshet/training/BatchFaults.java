package dev.freshet.training;

import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.pipeline.TrainingSettings;
import dev.freshet.training.TrainingIncidents.Kind;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Batches that are not learnt, or not as their gradients say, in words that name who is at fault.
 */
final class BatchFaults {

  private static final Logger LOGGER = LoggerFactory.getLogger(BatchFaults.class);
  private static final int NAMED_EXAMPLES = 8;

  private final ModelContext context;
  private final TrainingSettings settings;
  private final TrainingIncidents incidents;
  private int inARow;
  private @Nullable String leftOut;

  BatchFaults(ModelContext context, TrainingSettings settings, TrainingIncidents incidents) {
    this.context = context;
    this.settings = settings;
    this.incidents = incidents;
  }

  /** Why the last batch was not learnt; null if it was. */
  @Nullable String leftOut() {
    return leftOut;
  }

  /** How many in a row were not. */
  int inARow() {
    return inARow;
  }

  /** Of a checkpoint. */
  void inARow(int count) {
    inARow = count;
  }

  /** A batch begins. */
  void begin() {
    leftOut = null;
  }

  /** A step was taken. */
  void taken() {
    inARow = 0;
  }

  /**
   * A step was not taken.
   *
   * @param said predictions
   * @param losses of each task
   * @throws TrainingDivergedException if this is one of too many in a row
   */
  void notTaken(
      long step,
      List<EncodedExample> batch,
      Learner.Targets taught,
      float[][] said,
      Learner.StepReport report,
      float[] losses) {
    int task = 0;
    for (int i = 0; i < losses.length; i++) {
      // The first that is not finite, or else the largest.
      if (Float.isFinite(losses[task]) && !(losses[i] <= losses[task])) {
        task = i;
      }
    }
    int worst = task;
    String why =
        Float.isFinite(losses[task])
            ? "a gradient's norm is not finite or above "
                + settings.maxNorm()
                + " (that of the dense weights is "
                + report.norm()
                + "), the largest loss is that of task "
                + context.tasks().get(task).name()
                + ", "
                + losses[task]
            : "the loss of task " + context.tasks().get(task).name() + " is " + losses[task];
    String examples =
        IntStream.range(0, batch.size())
            .boxed()
            .sorted(
                Comparator.comparingDouble(
                    i ->
                        -off(
                            taught.importance()[i][worst],
                            taught.labels()[i][worst],
                            said[i][worst])))
            .limit(NAMED_EXAMPLES)
            .map(i -> batch.get(i).name())
            .collect(Collectors.joining(", "));
    String which =
        "; of "
            + batch.size()
            + " examples those of these impressions are the furthest off: "
            + examples;
    inARow++;
    skipped(step, why, which);
    if (inARow >= settings.maxSkipped()) {
      throw new TrainingDivergedException(
          at(step) + inARow + " batches in a row cannot be learnt, of the last " + why + which,
          step,
          why);
    }
  }

  private static double off(float importance, float label, float said) {
    double off = (double) importance * Math.abs(label - said);
    return Double.isNaN(off) ? Double.POSITIVE_INFINITY : off;
  }

  /**
   * Something is not learnt of the batch.
   *
   * @param which examples are at fault, where that is known
   */
  void skipped(long step, String why, String which) {
    String what = at(step) + why + which;
    incidents.add(Kind.SKIPPED, 1);
    incidents.sample(Kind.SKIPPED, what);
    // The second time the heads have said so before.
    leftOut = leftOut == null ? at(step) + why : leftOut + "; " + why;
    LOGGER.warn("A batch is left out: {}", what);
  }

  /** The delay heads had the batch. */
  void ofHeads(long step, boolean learnt, boolean clipped) {
    if (!learnt) {
      skipped(step, "its delay heads' loss or gradient is not finite or too large", "");
    }
    if (clipped) {
      clipped(step, "a gradient of the delay heads");
    }
  }

  /** A gradient was scaled down. */
  void clipped(long step, String what) {
    incidents.add(Kind.CLIPPED_GRADIENT, 1);
    incidents.sample(
        Kind.CLIPPED_GRADIENT,
        at(step) + what + " is scaled down to a norm of " + settings.clipNorm());
  }

  private String at(long step) {
    return "model " + context.model().name() + ", step " + step + ": ";
  }
}
