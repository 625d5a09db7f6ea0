package dev.freshet.training;

import dev.freshet.core.models.torch.TensorValues;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.network.Network;
import dev.freshet.core.network.Shrinkage;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Base rates of the tasks: the predictions that are right for all examples alike, and the biases of
 * the outputs that say it. A bias moves with its task's running base rate, so the rest of the model
 * learns only in what examples differ: from its first label on a model is as good as a constant
 * predictor, however rare the outcome is, and needs no steps to get there.
 *
 * <pre>
 * binary task   r = (positives + w/2) / (labels + w), labels weighted as they are learnt, w their
 *               mean weight (the estimator of Krichevsky and Trofimov); log-odds of r, or, where the
 *               model's output is given the step before, of r over the r of that step
 * core task     {@link TargetScale#constant}
 * </pre>
 *
 * <p>With every label the rate moves less; the bias is then left to the optimiser.
 */
final class BaseRates {

  /** Outcomes after which first-order weights move at half their pace. */
  private static final double HALF_PACE = 20;

  /** Batches after which one more hardly moves a bias. */
  private static final double MANY_BATCHES = 30;

  private final boolean conditional;

  private final double largestWeight;

  /** Of each binary task: number of labels learnt, their weight, and that of the positives. */
  private double[] count;

  private double[] labels;
  private double[] positives;

  /** The biases of each task's output in the weights, and how far they were moved from here. */
  private final List<TensorValues> biases = new ArrayList<>();

  private float[][] moved;

  /** False for a model of a checkpoint from before there were base rates: its biases are learnt. */
  private boolean moving = true;

  BaseRates(ModelContext context, Network network) {
    conditional = context.model().conditional();
    largestWeight = context.maxWeight();
    count = new double[context.shape().binary()];
    labels = new double[count.length];
    positives = new double[count.length];
    moved = new float[context.tasks().size()][];
    for (int task = 0; task < moved.length; task++) {
      biases.add(network.weights(context.model().bias(task)));
      moved[task] = new float[biases.get(task).size()];
    }
  }

  /**
   * A label of a binary task is learnt, with a weight above 0.
   *
   * @param times for so many like it, of which the others are left out
   */
  void see(int task, double label, double weight, double times) {
    double bounded = Math.min(weight, largestWeight) * times;
    count[task] += times;
    labels[task] += bounded;
    positives[task] += bounded * label;
  }

  /** True if a label of a binary task was ever learnt: before, a prediction has nothing to say. */
  boolean known(int task) {
    return !moving || labels[task] > 0;
  }

  /** True if a batch is so small a part of what was learnt that it hardly moves a bias. */
  boolean hardlyMove(int batch) {
    return !moving || Arrays.stream(count).allMatch(all -> all >= MANY_BATCHES * batch);
  }

  /** The running base rate of a binary task, as it is learnt; NaN before its first label. */
  double rate(int task) {
    double one = labels[task] / count[task];
    return (positives[task] + one / 2) / (labels[task] + one);
  }

  /**
   * How far to trust what tells the examples of a binary task apart, 0 to 1: {@code n / (n + 20)}
   * after n labels of the rarer kind.
   */
  float pace(int task) {
    return paceOf(outcomes(task));
  }

  /** How many labels of the rarer kind were learnt of a binary task. */
  double outcomes(int task) {
    double rate = rate(task);
    return count[task] == 0 ? 0 : count[task] * Math.min(rate, 1 - rate);
  }

  /** False where biases are left alone, because rates are not known from the first label on. */
  boolean moving() {
    return moving;
  }

  /** The pace after so many outcomes of the kind that is rarer. */
  static float paceOf(double outcomes) {
    return (float) (outcomes / (outcomes + HALF_PACE));
  }

  /**
   * Moves the biases to what is known now.
   *
   * @param constant outputs for the core task, one number for each of its outputs; null if nothing
   *     is known
   */
  void move(double @Nullable [] constant) {
    if (!moving) {
      return;
    }
    double before = 1;
    for (int task = 0; task < labels.length; task++) {
      if (labels[task] > 0) {
        double rate = rate(task);
        double most = 1 - 0.5 / (count[task] + 1);
        move(task, Shrinkage.logOdds(conditional ? Math.min(rate / before, most) : rate));
        before = rate;
      }
    }
    if (constant != null) {
      move(labels.length, constant);
    }
  }

  private void move(int task, double... to) {
    float[] bias = biases.get(task).copy();
    for (int i = 0; i < to.length; i++) {
      float next = (float) to[i];
      bias[i] += next - moved[task][i];
      moved[task][i] = next;
    }
    biases.get(task).write(0, bias);
  }

  /** How all of it, and the biases, are now; running it brings them back to that. */
  Runnable mark() {
    double[] countNow = count.clone();
    double[] labelsNow = labels.clone();
    double[] positivesNow = positives.clone();
    float[][] movedNow = Stream.of(moved).map(float[]::clone).toArray(float[][]::new);
    List<float[]> biasesNow = biases.stream().map(TensorValues::copy).toList();
    return () -> {
      count = countNow;
      labels = labelsNow;
      positives = positivesNow;
      moved = movedNow;
      for (int task = 0; task < moved.length; task++) {
        biases.get(task).write(0, biasesNow.get(task));
      }
    };
  }

  /**
   *
   *
   * <pre>
   * boolean moving | each binary task: double count, labels, positives
   * | each task, each of its outputs: float how far its bias was moved
   * </pre>
   */
  void write(DataOutput out) throws IOException {
    out.writeBoolean(moving);
    for (int task = 0; task < labels.length; task++) {
      out.writeDouble(count[task]);
      out.writeDouble(labels[task]);
      out.writeDouble(positives[task]);
    }
    for (float[] outputs : moved) {
      for (float output : outputs) {
        out.writeFloat(output);
      }
    }
  }

  /** The inverse of {@link #write}. */
  void read(DataInput in) throws IOException {
    moving = in.readBoolean();
    for (int task = 0; task < labels.length; task++) {
      count[task] = in.readDouble();
      labels[task] = in.readDouble();
      positives[task] = in.readDouble();
    }
    for (float[] outputs : moved) {
      for (int i = 0; i < outputs.length; i++) {
        outputs[i] = in.readFloat();
      }
    }
  }

  /** For a checkpoint that knows no base rates. */
  void readOfBefore(long steps) {
    moving = steps == 0;
  }
}
