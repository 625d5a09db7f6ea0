package dev.freshet.core.features;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.codec.Bytes;
import dev.freshet.core.codec.Layout;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import org.jspecify.annotations.Nullable;

/**
 * Statistics of a trainer's fields' numbers: the {@link NumberScale} of each, from a sample of what
 * it saw. Scales change when a field has had 32 numbers, 64, 128 and so on, and from {@value
 * #EPOCH} on each time it had so many more, from the sample of these: seldom enough that weights
 * follow. Part of the trainer's snapshot.
 *
 * <p><b>Learnt buckets.</b> An edge that was drawn stays, and a bucket keeps its row. A bucket with
 * more than {@value #FEWEST} numbers of the sample, and more than twice its share of those that are
 * not alone in theirs, is cut where it comes nearest to halves, again and again; the larger half
 * keeps its name. So there are few buckets while little is known, values that come often get
 * buckets of their own, and what is beside them is told apart however rare it is.
 *
 * <p><b>Means and deviations.</b> Of the sample without its extremes: a hundredth at each end, and
 * one number at least, counts as the next one inside. So one odd number moves neither.
 */
public final class NumberStatistics {

  private static final Layout LAYOUT = new Layout("freshet.number-statistics", 1);
  private static final int FIRST = 32;
  private static final int EPOCH = 1 << 16;
  private static final int SAMPLE = 4096;
  private static final int SMALLEST_SAMPLE = 256;
  private static final int FEWEST = 16;
  private static final int MORE_BUCKETS = 4;

  /** Share of the difference by which a later sample moves means and deviations. */
  private static final double DRIFT = 0.25;

  private final List<Of> all = new ArrayList<>();
  private Map<String, NumberScale> scales;

  /** Of one field. */
  private static final class Of {
    private final FeatureField field;
    private final int position;
    private final long absent;
    private final NumberSample sample;
    private NumberScale scale;
    private long seen;
    private long due = FIRST;

    Of(FeatureField field, int position, NumberScale start) {
      this.field = field;
      this.position = position;
      absent = FeatureEncoder.absentKey(field);
      sample = new NumberSample(Math.max(SMALLEST_SAMPLE, SAMPLE / field.numbers()));
      scale = start;
    }
  }

  public NumberStatistics(FeatureSchema schema) {
    for (int i = 0; i < schema.fields().size(); i++) {
      FeatureField field = schema.fields().get(i);
      NumberScale start = NumberScale.start(field);
      if (start != null) {
        all.add(new Of(field, i, start));
      }
    }
    scales = now();
  }

  private Map<String, NumberScale> now() {
    Map<String, NumberScale> now = new LinkedHashMap<>();
    all.forEach(of -> now.put(of.field.name(), of.scale));
    return Map.copyOf(now);
  }

  /** By field; empty if no field's numbers are read by what was learnt of them. */
  public Map<String, NumberScale> scales() {
    return scales;
  }

  /**
   * Learns from a batch's numbers, which are known before anything is predicted.
   *
   * @param examples as they are encoded
   */
  public void see(List<EncodedExample> examples) {
    boolean changed = false;
    for (Of of : all) {
      for (EncodedExample example : examples) {
        see(of, example);
      }
      if (of.seen >= of.due) {
        refresh(of);
        changed = true;
      }
    }
    if (changed) {
      scales = now();
    }
  }

  private static void see(Of of, EncodedExample example) {
    int from = example.starts()[of.position];
    int count = example.starts()[of.position + 1] - from;
    if (count != of.field.numbers() || example.keys()[from] == of.absent) {
      return;
    }
    of.seen++;
    if (of.sample.wants(example.id())) {
      double[] numbers = new double[count];
      for (int i = 0; i < count; i++) {
        numbers[i] = of.field.scaled(Double.longBitsToDouble(example.keys()[from + i]));
      }
      of.sample.add(example.id(), numbers);
    }
  }

  private static void refresh(Of of) {
    boolean first = of.due <= EPOCH;
    of.scale = of.field.learnt() ? cut(of) : normal(of, first);
    while (of.due <= of.seen) {
      of.due += Math.min(of.due, EPOCH);
    }
    if (of.seen >= EPOCH) {
      of.sample.clear();
    }
  }

  private static NumberScale normal(Of of, boolean first) {
    double[] centre = requireNonNull(of.scale.centre()).clone();
    double[] deviation = requireNonNull(of.scale.deviation()).clone();
    for (int i = 0; i < centre.length; i++) {
      double[] sorted = of.sample.sorted(i);
      if (sorted.length >= FEWEST) {
        double[] moments = moments(sorted);
        double share = first || deviation[i] == 0 ? 1 : DRIFT;
        centre[i] = (1 - share) * centre[i] + share * moments[0];
        deviation[i] = (1 - share) * deviation[i] + share * moments[1];
      }
    }
    return new NumberScale(null, null, centre, deviation);
  }

  /** Mean and deviation of ascending numbers without their extremes; of all if the rest are one. */
  static double[] moments(double[] sorted) {
    int cut = Math.max(1, sorted.length / 100);
    double low = sorted[cut];
    double high = sorted[sorted.length - 1 - cut];
    if (low == high) {
      low = sorted[0];
      high = sorted[sorted.length - 1];
    }
    // Squares of large numbers run over: these are of shares of the largest.
    double unit = Math.max(Math.abs(low), Math.abs(high));
    if (low == high || unit == 0) {
      return new double[] {low, 0};
    }
    double from = low / unit;
    double to = high / unit;
    double[] inside =
        DoubleStream.of(sorted).map(v -> Math.min(Math.max(v / unit, from), to)).toArray();
    double mean = NumberSample.mean(inside);
    double variance =
        NumberSample.mean(DoubleStream.of(inside).map(v -> (v - mean) * (v - mean)).toArray());
    return new double[] {mean * unit, Math.sqrt(variance) * unit};
  }

  private static NumberScale cut(Of of) {
    double[] sorted = of.sample.sorted(0);
    int most = MORE_BUCKETS * of.field.bucketCount();
    List<Double> edges = new ArrayList<>();
    DoubleStream.of(requireNonNull(of.scale.edges())).forEach(edges::add);
    List<Integer> buckets = new ArrayList<>();
    for (int bucket : requireNonNull(of.scale.buckets())) {
      buckets.add(bucket);
    }
    // Each round may find values that have a bucket of their own, and then the rest has more.
    int before = 0;
    while (before < buckets.size()) {
      before = buckets.size();
      int share = Math.max(FEWEST, 2 * mixed(sorted, edges) / of.field.bucketCount());
      cut(sorted, edges, buckets, share, most);
    }
    return new NumberScale(
        edges.stream().mapToDouble(e -> e).toArray(),
        buckets.stream().mapToInt(b -> b).toArray(),
        null,
        null);
  }

  /** How many numbers are in buckets with others that differ. */
  private static int mixed(double[] sorted, List<Double> edges) {
    int mixed = 0;
    for (int at = 0; at <= edges.size(); at++) {
      int from = at == 0 ? 0 : below(sorted, edges.get(at - 1));
      int to = at == edges.size() ? sorted.length : below(sorted, edges.get(at));
      mixed += to > from && sorted[from] != sorted[to - 1] ? to - from : 0;
    }
    return mixed;
  }

  private static void cut(
      double[] sorted, List<Double> edges, List<Integer> buckets, int share, int most) {
    int at = 0;
    while (at < buckets.size()) {
      int from = at == 0 ? 0 : below(sorted, edges.get(at - 1));
      int to = at == edges.size() ? sorted.length : below(sorted, edges.get(at));
      int middle = to - from > share && buckets.size() < most ? middle(sorted, from, to) : from;
      if (middle == from) {
        at++;
      } else {
        edges.add(at, sorted[middle]);
        boolean upper = to - middle > middle - from;
        buckets.add(upper ? at : at + 1, buckets.size());
      }
    }
  }

  /** How many are below an edge. */
  private static int below(double[] sorted, double edge) {
    int low = 0;
    int high = sorted.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (sorted[middle] < edge) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Where to cut: between two numbers that differ, nearest to the middle; {@code from} if none. */
  private static int middle(double[] sorted, int from, int to) {
    int middle = (from + to) >>> 1;
    for (int off = 0; off <= to - from; off++) {
      for (int at : new int[] {middle - off, middle + off}) {
        if (at > from && at < to && sorted[at] != sorted[at - 1]) {
          return at;
        }
      }
    }
    return from;
  }

  /**
   * Writes everything.
   *
   * <pre>
   * byte version = 1 | count fields, each: text name | long seen | long due | sample
   * | boolean buckets? [ doubles edges | count, each: count bucket ] else doubles centre, deviation
   * </pre>
   */
  public void write(DataOutput out) throws IOException {
    LAYOUT.writeVersion(out);
    Bytes.writeCount(out, all.size());
    for (Of of : all) {
      Bytes.writeText(out, of.field.name());
      out.writeLong(of.seen);
      out.writeLong(of.due);
      of.sample.write(out);
      out.writeBoolean(of.field.learnt());
      if (of.field.learnt()) {
        Bytes.writeDoubles(out, requireNonNull(of.scale.edges()));
        int[] buckets = requireNonNull(of.scale.buckets());
        Bytes.writeCount(out, buckets.length);
        for (int bucket : buckets) {
          Bytes.writeCount(out, bucket);
        }
      } else {
        Bytes.writeDoubles(out, requireNonNull(of.scale.centre()));
        Bytes.writeDoubles(out, requireNonNull(of.scale.deviation()));
      }
    }
  }

  /**
   * The inverse of {@link #write}.
   *
   * @throws IOException if the bytes are of other fields
   */
  public void read(DataInput in) throws IOException {
    LAYOUT.readVersion(in);
    int count = Bytes.readCount(in);
    if (count != all.size()) {
      throw new IOException("numbers of " + count + " fields, here are " + all.size());
    }
    for (Of of : all) {
      String name = Bytes.readText(in);
      of.seen = in.readLong();
      of.due = in.readLong();
      of.sample.read(in);
      of.scale = readScale(in);
      if (!name.equals(of.field.name()) || !of.scale.fits(of.field)) {
        throw new IOException("numbers of field " + name + ", here is " + of.field.name());
      }
    }
    scales = now();
  }

  private static NumberScale readScale(DataInput in) throws IOException {
    if (!in.readBoolean()) {
      double[] centre = Bytes.readDoubles(in);
      return new NumberScale(null, null, centre, Bytes.readDoubles(in));
    }
    double[] edges = Bytes.readDoubles(in);
    int[] buckets = new int[Bytes.readCount(in)];
    for (int i = 0; i < buckets.length; i++) {
      buckets[i] = Bytes.readCount(in);
    }
    return new NumberScale(edges, buckets, null, null);
  }

  /**
   * The scales that a version brings, checked.
   *
   * @param found by field; null for none
   * @throws IOException if one that is needed is missing or makes no sense
   */
  public static Map<String, NumberScale> checked(
      FeatureSchema schema, @Nullable Map<String, NumberScale> found) throws IOException {
    Map<String, NumberScale> needed = new LinkedHashMap<>();
    for (FeatureField field : schema.fields()) {
      if (NumberScale.start(field) != null) {
        NumberScale scale = found == null ? null : found.get(field.name());
        if (scale == null || !scale.fits(field)) {
          throw new IOException("how numbers of field " + field.name() + " are read is missing");
        }
        needed.put(field.name(), scale);
      }
    }
    return needed;
  }
}
