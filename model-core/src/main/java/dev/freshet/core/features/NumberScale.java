package dev.freshet.core.features;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Arrays;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * How a model reads the numbers of a field, as it has learnt from those that it saw. It belongs to
 * the weights that were learnt with it: every version brings its own.
 *
 * @param edges of learnt buckets, ascending; null for other fields
 * @param buckets names of the buckets below, between and above the edges, one more than edges; null
 *     for other fields
 * @param centre mean of each of the field's numbers; null where numbers are not normalised
 * @param deviation of each of them; 0 while nothing is known: all numbers are then as the mean;
 *     null where numbers are not normalised
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record NumberScale(
    double @Nullable [] edges,
    int @Nullable [] buckets,
    double @Nullable [] centre,
    double @Nullable [] deviation) {

  /** Of a field of which nothing was seen; null for one that needs none. */
  static @Nullable NumberScale start(FeatureField field) {
    if (field.learnt()) {
      return new NumberScale(new double[0], new int[1], null, null);
    }
    return field.normalised()
        ? new NumberScale(null, null, new double[field.numbers()], new double[field.numbers()])
        : null;
  }

  /** Name of a number's bucket. */
  int bucket(double value) {
    double[] ends = requireNonNull(edges, "of a field with learnt buckets");
    int below = 0;
    while (below < ends.length && value >= ends[below]) {
      below++;
    }
    return requireNonNull(buckets)[below];
  }

  /** One of the field's numbers in deviations from its mean. */
  double normalize(double value, int index) {
    double unit = requireNonNull(deviation, "of a field that is normalised")[index];
    return unit == 0 ? 0 : (value - requireNonNull(centre)[index]) / unit;
  }

  /** True if it can be one of this field's. */
  boolean fits(FeatureField field) {
    if (field.learnt()) {
      return edges != null
          && buckets != null
          && buckets.length == edges.length + 1
          && IntStream.of(buckets).allMatch(bucket -> bucket >= 0)
          && DoubleStream.of(edges).allMatch(Double::isFinite)
          && Arrays.equals(edges, DoubleStream.of(edges).sorted().distinct().toArray());
    }
    return centre != null
        && deviation != null
        && centre.length == field.numbers()
        && deviation.length == field.numbers()
        && DoubleStream.of(centre).allMatch(Double::isFinite)
        && DoubleStream.of(deviation).allMatch(one -> one >= 0 && Double.isFinite(one));
  }
}
