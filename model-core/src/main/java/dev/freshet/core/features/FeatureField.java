package dev.freshet.core.features;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.settings.Option;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One field that the models see: of an impression, made from its time or others of its fields, or
 * counted from the stream.
 *
 * <p>A cross has one value for each combination of its fields' values, so that what two values mean
 * together is learnt as such. It is as rare as its rarest combination, hence rows of its own and
 * usually a small size. Nobody sends it and nothing of it is kept: its keys follow from theirs.
 */
public record FeatureField(
    @Option(
            "Name of the field in the impression's `features`; of a time or a cross its own. A count"
                + " may stand there too, and is what is learnt then")
        String name,
    @Option(
            "Whether values are names or numbers, lists of numbers of one length, a part of the"
                + " impression's event time, combinations of other fields' values, or counts of what"
                + " happened before it")
        Kind kind,
    @Option(value = "Size of the field's embedding", fallback = "" + DIM) int dim,
    @Option(
            value =
                "Categorical: whether an impression may carry several values, which are averaged",
            fallback = "false")
        boolean many,
    @Option(
            value =
                "Categorical with `many`: whether each value comes with a weight, as `{news: 0.7,"
                    + " sport: 0.2}`; the mean of their rows is weighted by it",
            fallback = "false")
        boolean weighted,
    @Option(
            value =
                "Categorical: how many sightings give a value a row of its own; until then it shares"
                    + " the field's row for unknown values",
            fallback = "" + ADMIT_AFTER)
        int admitAfter,
    @Option(
            value = "Categorical: a row that was not seen for so long, in event time, is dropped",
            fallback = Option.ABSENT)
        @Nullable Duration expireAfter,
    @Option(
            value =
                "Numeric and count: whether numbers are put into buckets with a row each, or one row is"
                    + " multiplied by the number, scaled, normalised and clipped",
            fallback = "bucket")
        As as,
    @Option(
            value =
                "Numeric and count: ascending bucket edges; or use `buckets`. Without `edges`, `from` and `to`"
                    + " the edges are learnt from the stream; a count without `buckets` too has fixed ones,"
                    + " two for each doubling, and a rate four",
            fallback = "")
        List<Double> edges,
    @Option(
            value =
                "Numeric and count: number of buckets between `from` and `to`; without these about how many"
                    + " are learnt, 24 by default for numbers",
            fallback = "0")
        int buckets,
    @Option(
            value =
                "Numeric and count with `buckets`: lower end, 0 if only `to` is given; below it is one more bucket",
            fallback = Option.ABSENT)
        @Nullable Double from,
    @Option(
            value =
                "Numeric and count with `buckets`: upper end, 1 if only `from` is given; above it is one more bucket",
            fallback = Option.ABSENT)
        @Nullable Double to,
    @Option(
            value =
                "Numeric and count with `from` and `to`: whether buckets are equally wide or grow by a factor."
                    + " With `as: value`: whether the number is taken as it is, its logarithm (0 and"
                    + " below count as the lowest that is not clipped), or sign(x) ln(1 + |x|)",
            fallback = "linear")
        Scale scale,
    @Option(
            value =
                "Vectors, and numbers with `as: value`: in deviations from the mean, both learnt"
                    + " from the stream, or as they are",
            fallback = "z-score")
        Normalize normalize,
    @Option(
            value =
                "Vectors, and numbers with `as: value`: the lowest and the highest that a number can"
                    + " be once it is scaled and normalised, -4 and 4 by default; what is clipped is"
                    + " counted. Needed without normalising",
            fallback = "")
        List<Double> clip,
    @Option(value = "Vector: how many numbers each has", fallback = "0") int size,
    @Option(
            value =
                "Cross: the fields, 2 to 4 of them in any order, whose values together are its"
                    + " values; a number's is its bucket. Count: what is counted, `impression` or a"
                    + " task",
            fallback = "")
        List<String> of,
    @Option(
            value =
                "Time: which part of the event time; hours are 0 to 23, weekdays 1 (Monday) to 7",
            fallback = Option.ABSENT)
        @Nullable TimePart part,
    @Option(value = "Time: whose clocks, as `UTC`, `+02:00` or `Europe/Berlin`", fallback = "UTC")
        String zone,
    @Option(
            value =
                "Categorical: another categorical field whose rows its values use, as those of items"
                    + " that a user saw before use the item's; size, admission and expiry are that"
                    + " field's",
            fallback = Option.ABSENT)
        @Nullable String rowsOf,
    @Option(
            value =
                "Categorical with `many`: whether the values' rows are averaged, or each counts as much"
                    + " as a small net says that looks at it beside the row of `target`",
            fallback = "mean")
        Pooling pooling,
    @Option(
            value =
                "Categorical with `pooling: attention`: the categorical field of one value and the same"
                    + " `dim` that is looked at, as the item shown",
            fallback = Option.ABSENT)
        @Nullable String target,
    @Option(
            value = "Count: the categorical field whose value's events are counted",
            fallback = Option.ABSENT)
        @Nullable String by,
    @Option(
            value = "Count: after this time, in event time, an event counts half",
            fallback = Option.ABSENT)
        @Nullable Duration halfLife,
    @Option(
            value =
                "Count: what it is divided by, so that it is a rate: `impression` or a task, counted"
                    + " alike",
            fallback = Option.ABSENT)
        @Nullable String per,
    @Option(
            value = "Count with `per`: below this divisor there is no rate, the field is absent",
            fallback = "" + LEAST)
        double least)
    implements Serializable {

  /** The usual size of an embedding, and the usual sightings before there is a row. */
  public static final int DIM = 8;

  public static final int ADMIT_AFTER = 2;

  private static final int BUCKETS = 24;
  private static final double CLIP = 4;

  static final double LEAST = 10;

  // Where a count does not say how fine: two buckets for each doubling, or four for a rate.
  private static final double SMALLEST_COUNT = 0x1p-5;
  private static final double LARGEST_COUNT = 0x1p20;
  private static final double SMALLEST_RATE = 0x1p-10;
  private static final int COUNT_BUCKETS = 50;
  private static final int RATE_BUCKETS = 40;

  /**
   * Names, numbers, many of these, parts of the event time, combinations of other fields, or
   * counts.
   */
  public enum Kind {
    CATEGORICAL,
    NUMERIC,
    VECTOR,
    TIME,
    CROSS,
    COUNT
  }

  /** Ways of making one row of several values' rows. */
  public enum Pooling {
    MEAN,
    ATTENTION
  }

  /** Ways in which models take a number. */
  public enum As {
    BUCKET,
    VALUE
  }

  /** Spacing of numeric buckets, or what is taken of a number. */
  public enum Scale {
    LINEAR,
    LOG,
    LOG1P
  }

  /** Ways of making numbers alike in size. */
  public enum Normalize {
    Z_SCORE,
    NONE
  }

  public FeatureField {
    check(!name.isBlank(), "name", name, "a field name");
    check(dim >= 1 && dim <= 512, "dim", dim, "1 to 512");
    check(admitAfter >= 1 && admitAfter <= 255, "admit-after", admitAfter, "1 to 255");
    check(buckets >= 0 && buckets <= 10_000, "buckets", buckets, "0 to 10000");
    edges = List.copyOf(edges);
    for (int i = 1; i < edges.size(); i++) {
      check(edges.get(i - 1) < edges.get(i), "edges", edges, "ascending numbers");
    }
    check(
        expireAfter == null || !expireAfter.isZero(), "expire-after", "0", "a duration above zero");
    // In one order, so that neither keys nor fingerprints depend on how it was written.
    of = of.stream().sorted().toList();
    FieldRules.madeOf(kind, of);
    if (kind == Kind.COUNT) {
      FieldRules.count(of, by, halfLife, per, least);
      boolean said = !edges.isEmpty() || buckets > 0 || from != null || to != null;
      if (as == As.BUCKET && !said && scale == Scale.LINEAR) {
        buckets = per == null ? COUNT_BUCKETS : RATE_BUCKETS;
        from = per == null ? SMALLEST_COUNT : SMALLEST_RATE;
        to = per == null ? LARGEST_COUNT : 1.0;
        scale = Scale.LOG;
      }
    } else {
      FieldRules.noCount(by, halfLife, per, least);
    }
    FieldRules.names(kind, many, weighted, pooling, target, rowsOf);
    FieldRules.time(kind, part, zone);
    clip = List.copyOf(clip);
    boolean number = kind == Kind.NUMERIC || kind == Kind.COUNT;
    if (number && as == As.BUCKET) {
      new FixedBuckets(edges, buckets, from, to, scale).validate();
    } else {
      FieldRules.noBuckets(number, edges, buckets, from, to);
      FieldRules.noScale(number, as, scale);
    }
    FieldRules.values(kind == Kind.VECTOR || number && as == As.VALUE, clip, normalize);
    FieldRules.vector(kind, size);
  }

  /** The field under whose seed its values are hashed, and whose row is that of unknown ones. */
  String rowsName() {
    return rowsOf == null ? name : rowsOf;
  }

  /** True if its values count by what they are beside the target. */
  public boolean attends() {
    return pooling == Pooling.ATTENTION;
  }

  /** True if its value is a number: sent, or counted. */
  public boolean numeric() {
    return kind == Kind.NUMERIC || kind == Kind.COUNT;
  }

  /** True if it is counted from the stream, for impressions that do not bring it. */
  public boolean counted() {
    return kind == Kind.COUNT;
  }

  public boolean categorical() {
    return kind == Kind.CATEGORICAL;
  }

  /** True if impressions bring it, or may; if not it is made from what they bring. */
  public boolean sent() {
    return kind == Kind.CATEGORICAL || numeric() || kind == Kind.VECTOR;
  }

  /** True if impressions are to bring it: it is neither made of what they bring nor counted. */
  public boolean expected() {
    return sent() && !counted();
  }

  public boolean vector() {
    return kind == Kind.VECTOR;
  }

  /** True if it is a number whose buckets are learnt. */
  public boolean learnt() {
    return numeric() && as == As.BUCKET && edges.isEmpty() && from == null && to == null;
  }

  /** True if rows are multiplied by the numbers themselves. */
  boolean values() {
    return vector() || numeric() && as == As.VALUE;
  }

  /** True if only a model can read its numbers. */
  boolean open() {
    return learnt() || values();
  }

  /** True if its numbers are read in deviations from a mean. */
  boolean normalised() {
    return values() && normalize == Normalize.Z_SCORE;
  }

  /** True if its values can be combined with others'. */
  public boolean crossable() {
    return !cross() && !values();
  }

  /** How many numbers it has, if it has any. */
  int numbers() {
    return vector() ? size : 1;
  }

  /** About how many buckets are learnt. */
  int bucketCount() {
    return buckets == 0 ? BUCKETS : buckets;
  }

  /** A number on its scale. */
  double scaled(double value) {
    if (!numeric() || as == As.BUCKET) {
      return value;
    }
    return switch (scale) {
      case LINEAR -> value;
      case LOG -> value > 0 ? Math.log(value) : Double.NEGATIVE_INFINITY;
      case LOG1P -> Math.signum(value) * Math.log1p(Math.abs(value));
    };
  }

  double lowest() {
    return clip.isEmpty() ? -CLIP : clip.get(0);
  }

  double highest() {
    return clip.isEmpty() ? CLIP : clip.get(1);
  }

  /** Factor of a row beside the number: the sum of a vector's is as large as one number. */
  double share() {
    return vector() && normalised() ? 1 / Math.sqrt(size) : 1;
  }

  /** Lower end of fixed buckets. */
  double low() {
    return fixed().low();
  }

  /** Upper end of fixed buckets. */
  double high() {
    return fixed().high();
  }

  public boolean time() {
    return kind == Kind.TIME;
  }

  public boolean cross() {
    return kind == Kind.CROSS;
  }

  /** The bucket of a value among fixed ones. */
  int bucket(double value) {
    return fixed().bucket(value);
  }

  private FixedBuckets fixed() {
    return new FixedBuckets(edges, buckets, from, to, scale);
  }
}
