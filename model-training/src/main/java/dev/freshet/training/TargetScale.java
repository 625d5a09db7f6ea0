package dev.freshet.training;

import dev.freshet.core.labels.AmountRange;
import dev.freshet.core.labels.Task.Transform;
import dev.freshet.core.models.AmountHead;
import dev.freshet.core.network.AmountScale;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.network.Shrinkage;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The scale of the core task's amounts as far as a trainer knows it: their typical size, deviation,
 * plausible range, and how far predictions are from them in the mean. All of it rests on the newest
 * amounts other than 0 and on sums that fade, so nothing that was seen stays for good; and on order
 * statistics, so that few amounts, however large, move it little:
 *
 * <pre>
 * median, q90   of the newest |amounts|;  s = 1.4826 median |log(|amount| / median)|
 * largest       max(median clamp(exp(4 s), 20, min(20 + 2 n, 10000)), 10 q90), n amounts seen; the
 *               range is -largest to largest
 * winsor        max(median clamp(exp(3 s), 10, 10 + n), q90), at most largest
 * typical       mean of min(|amount|, winsor)
 * unit          none, log1p: typical | zscore, deviation: that of all labels, at least typical / 10
 * factor        faded sum of labels over faded sum of plain predictions, 1/4 to 4; at first that of
 *               a constant predictor
 * shift         what the mean then lacks, over faded number of labels; mostly next to nothing
 * </pre>
 *
 * <p>Multiplying all amounts by a number multiplies the unit by it, so a currency's size means
 * nothing. Until {@value #FEWEST} amounts were seen nothing is known or learnt; 0 is predicted.
 */
public final class TargetScale {

  /** Amounts other than 0 without which nothing is learnt. */
  public static final int FEWEST = 8;

  private static final double SMALLEST = 1 / AmountRange.LARGEST;
  private static final double NORMAL = 1.4826;
  private static final double LARGEST_FACTOR = 4;
  private static final int SHORTEST_MEMORY = 16;

  /** Amounts that stand for what is not known yet. */
  private static final int PRIOR = 16;

  private static final int MOMENTS_UNTIL = 100;

  /** ZILN's softplus is added to this. */
  private static final double SMALLEST_DEVIATION = 0.01;

  /** Of amounts that are all alike. */
  private static final double SMALLEST_PULL = 0.01;

  private final Transform transform;
  private final AmountRange range;
  private final NewestAmounts newest;

  /** Sums that fade with each amount other than 0: labels learnt, and those other than 0. */
  private double labels;

  private double amounts;

  /** The same of final labels: how many, their sum, and that of plain predictions. */
  private double scored;

  private double actual;
  private double predicted;

  /**
   * Count, mean and squared deviations of a checkpoint of before scales were forgotten. What its
   * weights say stays what it was: {@code none} and {@code log1p} keep their unit of 1 for good,
   * the others their moments until enough was seen to do without.
   */
  private double @Nullable [] moments;

  private AmountScale current;

  /** No single amount counts for more in a mean. */
  private double winsor;

  /** An empty one for the core task's labels; null without one. */
  static @Nullable TargetScale of(ModelContext context) {
    Transform transform = context.transform();
    return transform == null
        ? null
        : new TargetScale(transform, context.tasks().get(context.core()).range());
  }

  TargetScale(Transform transform, AmountRange range) {
    this(transform, range, new NewestAmounts(range.memory()));
  }

  private TargetScale(Transform transform, AmountRange range, NewestAmounts newest) {
    this.transform = transform;
    this.range = range;
    this.newest = newest;
    current = AmountScale.unknown(transform, range);
  }

  /** The same knowledge; what is seen by the one is not known to the other. */
  TargetScale copy() {
    TargetScale copy = new TargetScale(transform, range, newest.copy());
    copy.labels = labels;
    copy.amounts = amounts;
    copy.scored = scored;
    copy.actual = actual;
    copy.predicted = predicted;
    copy.moments = moments;
    copy.current = current;
    copy.winsor = winsor;
    return copy;
  }

  /**
   * A label is learnt.
   *
   * @param weight of the record; more than 1 where it stands for others that were left out
   */
  void see(double value, double weight) {
    double amount = Math.min(Math.max(value, -AmountRange.LARGEST), AmountRange.LARGEST);
    if (Math.abs(amount) < SMALLEST) {
      labels += weight;
      return;
    }
    long count = newest.count();
    double kept = 1 - 1 / Math.min(Math.max(count / 4.0, SHORTEST_MEMORY), range.memory());
    // In a stream that stands still the share of amounts wants all that was seen: few say too much.
    double all = 1 - 1.0 / Math.min(Math.max(count, SHORTEST_MEMORY), range.memory());
    labels = labels * all + weight;
    amounts = amounts * all + weight;
    scored *= kept;
    actual *= kept;
    predicted *= kept;
    newest.add(amount);
  }

  /** A final label, and what was predicted for it, both plausible and in the amount's own unit. */
  void compare(double plain, double label, double weight) {
    scored += weight;
    predicted += plain * weight;
    actual += label * weight;
  }

  /** Brings {@link #current} up to what has been seen. */
  void refresh() {
    long count = newest.count();
    if (count >= MOMENTS_UNTIL && scaled()) {
      moments = null;
    }
    if (count < FEWEST) {
      AmountScale unknown = AmountScale.unknown(transform, range);
      AmountScale known = moments == null ? unknown : AmountScale.ofMoments(transform, moments);
      current =
          new AmountScale(
              transform,
              known.centre(),
              known.unit(),
              known.factor(),
              known.shift(),
              unknown.from(),
              unknown.to());
      return;
    }
    int size = newest.size();
    double[] sorted = new double[size];
    for (int i = 0; i < size; i++) {
      sorted[i] = Math.abs(newest.get(i));
    }
    Arrays.sort(sorted);
    double median = sorted[size / 2];
    double q90 = sorted[(int) (0.9 * (size - 1))];
    double[] off = new double[size];
    for (int i = 0; i < size; i++) {
      off[i] = Math.abs(Math.log(sorted[i] / median));
    }
    Arrays.sort(off);
    double spread = NORMAL * off[size / 2];
    // Few amounts say little of how they spread: each allows for a little more.
    double tail = Math.min(Math.max(Math.exp(4 * spread), 20), Math.min(20 + 2.0 * count, 10_000));
    double largest = Math.min(Math.max(median * tail, 10 * q90), AmountRange.LARGEST);
    double body = Math.min(Math.max(Math.exp(3 * spread), 10), 10.0 + count);
    winsor = Math.min(Math.max(median * body, q90), largest);
    double typical = 0;
    for (double amount : sorted) {
      typical += Math.min(amount, winsor) / size;
    }
    double from = range.from() == null ? -largest : range.from();
    double to = range.to() == null ? largest : range.to();
    double centre = 0;
    double unit = typical;
    if (moments != null) {
      AmountScale known = AmountScale.ofMoments(transform, moments);
      centre = known.centre();
      unit = known.unit();
    } else if (scaled()) {
      double[] shape = shape(size, winsor, typical);
      centre = transform == Transform.ZSCORE ? shape[0] : 0;
      unit = shape[1];
    }
    current = new AmountScale(transform, centre, unit, 1, 0, from, to);
    double factor = factor(typical);
    double shift = scored > 0 ? (actual - factor * predicted) / scored : 0;
    current = new AmountScale(transform, centre, unit, factor, shift, from, to);
  }

  /**
   * Outputs that say the same of every label, in the model's scale: one number for each output
   * under a loss; null as long as nothing is known.
   *
   * <pre>
   * squared, huber  mean of the labels as they are learnt
   * ziln            log-odds of a label above 0; mean of the logarithm of those, and the number
   *                 whose softplus is its deviation
   * </pre>
   */
  double @Nullable [] constant(AmountHead.Loss loss) {
    if (!current.ready()) {
      return null;
    }
    if (loss == AmountHead.Loss.ZILN) {
      return lognormal();
    }
    double share = amounts / labels;
    return new double[] {share * meanOfAmounts(current::encode) + (1 - share) * current.encode(0)};
  }

  /**
   * Root mean square of a loss's gradient, by the output, where the same is said of every label:
   * how hard a label pulls before anything is told apart. Above 0.
   *
   * <p>Of ZILN, with a share s and a deviation d, it is the sum over its three outputs: {@code
   * sqrt(s (1 - s))}, {@code sqrt(s) / d} and {@code sqrt(2 s) / d} times the slope of d by its
   * output.
   *
   * @param said in the model's scale, of {@link #constant}
   */
  double pull(AmountHead head, double... said) {
    if (head.loss() == AmountHead.Loss.ZILN) {
      double share = 1 / (1 + Math.exp(-said[0]));
      double deviation = Math.log1p(Math.exp(said[2])) + SMALLEST_DEVIATION;
      double slope = 1 / (1 + Math.exp(-said[2]));
      double ofBody = (1 + Math.sqrt(2) * slope) / deviation;
      return Math.sqrt(share) * (Math.sqrt(1 - share) + ofBody);
    }
    DoubleUnaryOperator square =
        amount -> {
          double off = current.encode(amount) - said[0];
          double gradient =
              switch (head.loss()) {
                case SQUARED -> 2 * off;
                case HUBER -> Math.min(Math.abs(off), head.delta());
                case ZILN -> throw new IllegalStateException();
              };
          return gradient * gradient;
        };
    double share = amounts / labels;
    double mean = share * meanOfAmounts(square) + (1 - share) * square.applyAsDouble(0);
    return Math.max(Math.sqrt(mean), SMALLEST_PULL);
  }

  /** How far to trust what tells an amount from none, by those that were seen. */
  float pace() {
    return BaseRates.paceOf(newest.count());
  }

  /** Mean of all labels, in their own unit; NaN as long as nothing is known. */
  double mean() {
    return newest.count() < FEWEST ? Double.NaN : amounts / labels * meanOfAmounts(current::clip);
  }

  private double[] lognormal() {
    int size = newest.size();
    double[] logs =
        IntStream.range(0, size)
            .mapToDouble(i -> current.encode(newest.get(i)))
            .filter(scaled -> scaled > 0)
            .map(Math::log)
            .toArray();
    double above = amounts / labels * logs.length / size;
    double mean = Arrays.stream(logs).average().orElse(0);
    double square = Arrays.stream(logs).map(log -> (log - mean) * (log - mean)).average().orElse(1);
    double deviation = Math.max(Math.sqrt(square), 0.1);
    return new double[] {
      Shrinkage.logOdds(above), mean, Math.log(Math.expm1(deviation - SMALLEST_DEVIATION))
    };
  }

  /** Of the newest amounts other than 0. */
  private double meanOfAmounts(DoubleUnaryOperator of) {
    int size = newest.size();
    double mean = 0;
    for (int i = 0; i < size; i++) {
      double amount = Math.min(Math.max(newest.get(i), -winsor), winsor);
      mean += of.applyAsDouble(amount) / size;
    }
    return mean;
  }

  /** Mean and deviation of all labels. */
  private double[] shape(int size, double winsor, double typical) {
    double mean = 0;
    double square = 0;
    for (int i = 0; i < size; i++) {
      double relative = Math.min(Math.max(newest.get(i), -winsor), winsor) / typical;
      mean += relative / size;
      square += relative * relative / size;
    }
    double share = amounts / labels;
    mean *= share;
    double deviation = Math.sqrt(Math.max(square * share - mean * mean, 0.01));
    return new double[] {mean * typical, deviation * typical};
  }

  // Some typical amounts stand on either side of the ratio, so that few labels say little.
  private double factor(double typical) {
    double start = ofConstant();
    double said = actual < 0 ? -predicted : predicted;
    if (said <= 0) {
      return start;
    }
    double prior = PRIOR * typical;
    return bounded((Math.abs(actual) + prior) / (said + prior / start));
  }

  /** The factor of a predictor that says the same of every label. */
  private double ofConstant() {
    if (moments != null || transform != Transform.LOG1P) {
      return 1;
    }
    double[] said = constant(AmountHead.Loss.SQUARED);
    double factor = said == null ? 1 : mean() / current.plain(said[0]);
    return Double.isFinite(factor) && factor > 0 ? bounded(factor) : 1;
  }

  private static double bounded(double factor) {
    return Math.min(Math.max(factor, 1 / LARGEST_FACTOR), LARGEST_FACTOR);
  }

  private boolean scaled() {
    return transform == Transform.ZSCORE || transform == Transform.DEVIATION;
  }

  /** The scale as of the last {@link #refresh}. */
  public AmountScale current() {
    return current;
  }

  /**
   * The bytes of a trainer's snapshot from version 5.
   *
   * <pre>
   * boolean of before [ double count, mean, squares ] | newest amounts
   * | double labels, amounts, scored, actual, predicted
   * </pre>
   */
  void write(DataOutput out) throws IOException {
    out.writeBoolean(moments != null);
    if (moments != null) {
      for (double moment : moments) {
        out.writeDouble(moment);
      }
    }
    newest.write(out);
    for (double sum : new double[] {labels, amounts, scored, actual, predicted}) {
      out.writeDouble(sum);
    }
  }

  /** The inverse of {@link #write}; more or less memory than before is allowed. */
  void read(DataInput in) throws IOException {
    moments = in.readBoolean() ? readMoments(in) : null;
    newest.read(in);
    labels = in.readDouble();
    amounts = in.readDouble();
    scored = in.readDouble();
    actual = in.readDouble();
    predicted = in.readDouble();
    refresh();
  }

  /** As {@link #read}, for a checkpoint that knew nothing but moments. */
  void readOfBefore(DataInput in) throws IOException {
    double[] read = readMoments(in);
    boolean sane =
        read[0] > 0
            && Double.isFinite(read[0] + read[1] + read[2])
            && read[2] <= read[0] * AmountRange.LARGEST * AmountRange.LARGEST;
    moments = sane ? read : null;
    refresh();
  }

  private static double[] readMoments(DataInput in) throws IOException {
    return new double[] {in.readDouble(), in.readDouble(), in.readDouble()};
  }
}
