package dev.freshet.core.features;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.settings.Option;
import dev.freshet.core.settings.RecordBinder;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;

/** One field of an impression that the models see. */
public record FeatureField(
    @Option("Name of the field in the impression's `features`") String name,
    @Option("Whether values are names or amounts") Kind kind,
    @Option(value = "Size of the field's embedding", fallback = "8") int dim,
    @Option(
            value =
                "Categorical: whether an impression may carry several values, which are averaged",
            fallback = "false")
        boolean many,
    @Option(
            value =
                "Categorical: how many sightings give a value a row of its own; until then it shares"
                    + " the field's row for unknown values",
            fallback = "2")
        int admitAfter,
    @Option(
            value = "Categorical: a row that was not seen for so long, in event time, is dropped",
            fallback = Option.ABSENT)
        Duration expireAfter,
    @Option(value = "Numeric: ascending bucket edges; or use `buckets`", fallback = "")
        List<Double> edges,
    @Option(value = "Numeric: number of buckets between `from` and `to`", fallback = "0")
        int buckets,
    @Option(
            value = "Numeric with `buckets`: lower end; below it is one more bucket",
            fallback = "0")
        double from,
    @Option(
            value = "Numeric with `buckets`: upper end; above it is one more bucket",
            fallback = "1")
        double to,
    @Option(
            value = "Numeric with `buckets`: whether buckets are equally wide or grow by a factor",
            fallback = "linear")
        Scale scale)
    implements Serializable {

  /** Names or amounts. */
  public enum Kind {
    CATEGORICAL,
    NUMERIC
  }

  /** Spacing of numeric buckets. */
  public enum Scale {
    LINEAR,
    LOG
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
    if (kind == Kind.NUMERIC) {
      check(!many, "many", many, "false, for a number");
      check(
          edges.isEmpty() || buckets == 0,
          "buckets",
          buckets,
          "0, where there are `edges`: one of both");
      check(!edges.isEmpty() || buckets > 0, "buckets", buckets, "at least 1, or give `edges`");
      check(to > from, "to", to, "a number above `from`");
      check(scale == Scale.LINEAR || from > 0, "from", from, "above 0, for a log scale");
    } else {
      String without = "nothing, for a categorical field";
      check(edges.isEmpty(), "edges", edges, without);
      check(buckets == 0, "buckets", buckets, without);
      check(from == 0, "from", from, without);
      check(to == 1, "to", to, without);
      check(scale == Scale.LINEAR, "scale", RecordBinder.written(scale), without);
    }
  }

  public boolean numeric() {
    return kind == Kind.NUMERIC;
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
    if (value < from) {
      return 0;
    }
    double part =
        scale == Scale.LINEAR
            ? (value - from) / (to - from)
            : Math.log(value / from) / Math.log(to / from);
    return part >= 1 ? buckets + 1 : 1 + (int) (part * buckets);
  }
}
