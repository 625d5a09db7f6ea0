package dev.freshet.core.features;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.features.FeatureField.Scale;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Buckets of numbers as a field's settings give them: by their edges, or so many between two ends.
 *
 * @param from null if not given
 * @param to null if not given
 */
record FixedBuckets(
    List<Double> edges, int buckets, @Nullable Double from, @Nullable Double to, Scale scale) {

  /** Finds faults of what was given. */
  void validate() {
    boolean range = from != null || to != null;
    check(
        edges.isEmpty() || buckets == 0,
        "buckets",
        buckets,
        "0, where there are `edges`: one of both");
    check(
        !range || buckets > 0,
        "buckets",
        buckets == 0 ? null : buckets,
        "at least 1, between `from` and `to`; none of the three for edges that are learnt");
    check(
        low() < high(),
        "to",
        to,
        "a number above `from`" + (to == null ? "; unless it is given it is 1" : ""));
    check(
        scale != Scale.LOG1P, "scale", "log1p", "linear or log; log1p is for numbers `as: value`");
    check(
        scale == Scale.LINEAR || from != null && from > 0,
        "from",
        from,
        "above 0, for buckets on a log scale");
  }

  double low() {
    return from == null ? 0 : from;
  }

  double high() {
    return to == null ? 1 : to;
  }

  /** The bucket of a value: 0 below the first edge, as many as there are edges above the last. */
  int bucket(double value) {
    if (!edges.isEmpty()) {
      int bucket = 0;
      while (bucket < edges.size() && value >= edges.get(bucket)) {
        bucket++;
      }
      return bucket;
    }
    if (value < low()) {
      return 0;
    }
    double part =
        scale == Scale.LINEAR
            ? (value - low()) / (high() - low())
            : Math.log(value / low()) / Math.log(high() / low());
    return part >= 1 ? buckets + 1 : 1 + (int) (part * buckets);
  }
}
