package dev.freshet.core.features;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.features.FeatureField.As;
import dev.freshet.core.features.FeatureField.Kind;
import dev.freshet.core.features.FeatureField.Normalize;
import dev.freshet.core.features.FeatureField.Pooling;
import dev.freshet.core.features.FeatureField.Scale;
import dev.freshet.core.settings.EnumNames;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Settings that each kind of field must be given. One that belongs to another kind is refused, as
 * it would be passed over in silence.
 */
final class FieldRules {

  private FieldRules() {}

  static void madeOf(Kind kind, List<String> of) {
    if (kind == Kind.CROSS) {
      check(
          of.size() >= 2 && of.size() <= 4 && Set.copyOf(of).size() == of.size(),
          "of",
          of.isEmpty() ? null : of,
          "2 to 4 fields, each once");
    } else if (kind == Kind.COUNT) {
      check(of.size() == 1, "of", of.isEmpty() ? null : of, "one of `impression` and the tasks");
    } else {
      check(of.isEmpty(), "of", of, "nothing, for a field that is no cross and no count");
    }
  }

  static void count(
      List<String> of,
      @Nullable String by,
      @Nullable Duration halfLife,
      @Nullable String per,
      double least) {
    check(by != null, "by", null, "the field whose value's events are counted");
    check(
        halfLife != null && !halfLife.isZero(),
        "half-life",
        halfLife == null ? null : "0",
        "a duration above zero");
    check(per == null || !of.contains(per), "per", per, "something else than `of`");
    check(least > 0, "least", least, "above 0");
    check(per != null || least == FeatureField.LEAST, "least", least, "nothing, without `per`");
  }

  static void noCount(
      @Nullable String by, @Nullable Duration halfLife, @Nullable String per, double least) {
    String without = "nothing, for a field that is no count";
    check(by == null, "by", by, without);
    check(halfLife == null, "half-life", halfLife, without);
    check(per == null, "per", per, without);
    check(least == FeatureField.LEAST, "least", least, without);
  }

  static void names(
      Kind kind,
      boolean many,
      boolean weighted,
      Pooling pooling,
      @Nullable String target,
      @Nullable String rowsOf) {
    check(
        !many || kind == Kind.CATEGORICAL, "many", many, "false, for a field that sends no names");
    check(
        !weighted || many,
        "weighted",
        weighted,
        "false, for a field that is not `many`: one value's weight says nothing");
    check(
        pooling == Pooling.MEAN || many,
        "pooling",
        EnumNames.of(pooling),
        "mean, for a field that is not `many`: one value has nothing to be weighed against");
    if (pooling == Pooling.ATTENTION) {
      check(target != null, "target", null, "the field that the values are looked at beside");
    } else {
      check(target == null, "target", target, "nothing, without `pooling: attention`");
    }
    check(
        rowsOf == null || kind == Kind.CATEGORICAL,
        "rows-of",
        rowsOf,
        "nothing, for a field that is not categorical");
  }

  static void time(Kind kind, @Nullable TimePart part, String zone) {
    if (kind == Kind.TIME) {
      check(part != null, "part", null, "one of hour, weekday, day, month");
      check(isZone(zone), "zone", zone, "a zone such as UTC, +02:00 or Europe/Berlin");
    } else {
      String without = "nothing, for a field that is no time";
      check(part == null, "part", part == null ? null : EnumNames.of(part), without);
      check(zone.equals("UTC"), "zone", zone, without);
    }
  }

  private static boolean isZone(String zone) {
    try {
      return ZoneId.of(zone) != null;
    } catch (DateTimeException e) {
      return false;
    }
  }

  /**
   * @param number whether it is one, and buckets are missed where it is taken as it is
   */
  static void noBuckets(
      boolean number, List<Double> edges, int buckets, @Nullable Double from, @Nullable Double to) {
    String without = without(number);
    check(edges.isEmpty(), "edges", edges, without);
    check(buckets == 0, "buckets", buckets, without);
    check(from == null, "from", from, without);
    check(to == null, "to", to, without);
  }

  static void noScale(boolean number, As as, Scale scale) {
    String without = without(number);
    check(number || as == As.BUCKET, "as", EnumNames.of(as), without);
    check(number || scale == Scale.LINEAR, "scale", EnumNames.of(scale), without);
  }

  private static String without(boolean number) {
    return number ? "nothing, with `as: value`" : "nothing, for a field that is no number";
  }

  /**
   * @param values whether rows are multiplied by its numbers
   */
  static void values(boolean values, List<Double> clip, Normalize normalize) {
    if (values) {
      check(
          clip.size() == 2 && clip.get(0) < clip.get(1)
              || clip.isEmpty() && normalize == Normalize.Z_SCORE,
          "clip",
          clip.isEmpty() ? null : clip,
          "the lowest and the highest number, as in [-10, 10]: one odd number would spoil weights");
    } else {
      String without = "nothing, for a field whose values are not taken as numbers";
      check(clip.isEmpty(), "clip", clip, without);
      check(normalize == Normalize.Z_SCORE, "normalize", EnumNames.of(normalize), without);
    }
  }

  static void vector(Kind kind, int size) {
    if (kind == Kind.VECTOR) {
      check(size >= 1 && size <= 4096, "size", size == 0 ? null : size, "1 to 4096");
    } else {
      check(size == 0, "size", size, "nothing, for a field that is no vector");
    }
  }
}
