package dev.freshet.training;

import dev.freshet.core.network.Shrinkage;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * Learns the slope of each binary task's {@link Shrinkage} from predictions that were made before
 * anything of their impressions was learnt. A model that is learnt in one pass is too sure of
 * itself as long as outcomes are few; by how much, its own predictions tell.
 *
 * <pre>
 * slope = (20 m + g) / (20 + h), at least 0.01 and at most 1,   m = n / (n + 5) after n outcomes of the rarer kind
 * of each final label y:   d = logit(said) - logit(rate),   p = sigmoid(logit(rate) + slope d)
 *   h += p (1 - p) d^2       g += slope p (1 - p) d^2 + (y - p) d
 * </pre>
 *
 * <p>That is one Newton step for each label towards the most likely slope, given a normal prior
 * around m: before there are outcomes, little that a model says of single examples is true.
 */
final class Shrinkages {

  private static final double PRIOR = 20;
  private static final double HALF_OUTCOMES = 5;

  /** So that who ranks by what is served has an order even where nothing says that it is right. */
  private static final double SMALLEST = 0.01;

  /**
   * Most information that is kept; what is older is forgotten: about 100,000 labels, so slopes can
   * turn.
   */
  private static final double MOST_INFORMATION = 10_000;

  private final BaseRates rates;
  private final double[] information;
  private final double[] gain;

  /** Of the batch that is being processed. */
  private final double[] newInformation;

  private final double[] newGain;

  Shrinkages(BaseRates rates, int binary) {
    this.rates = rates;
    information = new double[binary];
    gain = new double[binary];
    newInformation = new double[binary];
    newGain = new double[binary];
  }

  /**
   * A task's shrinkage now.
   *
   * @param rate prediction that would be served if the same were said of all; NaN if nothing is
   *     known
   */
  Shrinkage of(int task, double rate) {
    if (!rates.moving() || !(rate > 0 && rate < 1)) {
      return Shrinkage.NONE;
    }
    double slope = (PRIOR * expected(task) + gain[task]) / (PRIOR + information[task]);
    return new Shrinkage(rate, Math.min(Math.max(slope, SMALLEST), 1));
  }

  private double expected(int task) {
    double outcomes = rates.outcomes(task);
    return outcomes / (outcomes + HALF_OUTCOMES);
  }

  /** Forgets what was seen since the last {@link #learn}. */
  void begin() {
    for (int task = 0; task < information.length; task++) {
      newInformation[task] = 0;
      newGain[task] = 0;
    }
  }

  /**
   * A label is final.
   *
   * @param now the task's shrinkage
   * @param said would have been served without one, before anything of the impression was learnt
   */
  void see(int task, Shrinkage now, double said, double label) {
    double apart = Shrinkage.logOdds(said) - Shrinkage.logOdds(now.rate());
    double served = now.served(said);
    double information = served * (1 - served) * apart * apart;
    newInformation[task] += information;
    newGain[task] += now.slope() * information + (label - served) * apart;
  }

  /** Takes in what was seen since {@link #begin}. */
  void learn() {
    for (int task = 0; task < information.length; task++) {
      information[task] += newInformation[task];
      gain[task] += newGain[task];
      if (information[task] > MOST_INFORMATION) {
        gain[task] *= MOST_INFORMATION / information[task];
        information[task] = MOST_INFORMATION;
      }
      // No further than to a slope of 0 or 1, or it would take as long to come back.
      double prior = PRIOR * expected(task);
      double most = PRIOR + information[task] - prior;
      gain[task] = Math.min(Math.max(gain[task], -prior), most);
    }
  }

  /**
   *
   *
   * <pre>
   * each binary task: double information h, double gain g
   * </pre>
   */
  void write(DataOutput out) throws IOException {
    for (int task = 0; task < information.length; task++) {
      out.writeDouble(information[task]);
      out.writeDouble(gain[task]);
    }
  }

  /** The inverse of {@link #write}. */
  void read(DataInput in) throws IOException {
    for (int task = 0; task < information.length; task++) {
      information[task] = in.readDouble();
      gain[task] = in.readDouble();
    }
  }
}
