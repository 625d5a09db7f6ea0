package dev.freshet.core.features;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.settings.Option;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Crosses of many fields at once, beside those that are listed one by one. */
public record Crosses(
    @Option(
            value =
                "Which: `none`, or `pairs`, every two of the fields. `crosses: pairs` is short for"
                    + " this key alone",
            fallback = "none",
            alone = true)
        Kind kind,
    @Option(
            value =
                "The fields that are crossed; if none, all but crosses, vectors and numbers that are"
                    + " taken `as: value`",
            fallback = "")
        List<String> of,
    @Option(value = "Size of each cross's embedding", fallback = "2") int dim,
    @Option(
            value =
                "How many sightings give a combination a row of its own: more than of a field's"
                    + " value, for most combinations are rare and say nothing",
            fallback = "20")
        int admitAfter,
    @Option(
            value =
                "A combination that was not seen for so long is dropped; by default as soon as one"
                    + " of its fields' values would be",
            fallback = Option.ABSENT)
        @Nullable Duration expireAfter)
    implements Serializable {

  /** Which crosses there are. */
  public enum Kind {
    NONE,
    PAIRS
  }

  /** Nothing but what is listed one by one. */
  public static final Crosses NONE = new Crosses(Kind.NONE, List.of(), 2, 20, null);

  public Crosses {
    of = List.copyOf(of);
    check(dim >= 1 && dim <= 512, "dim", dim, "1 to 512");
    check(admitAfter >= 1 && admitAfter <= 255, "admit-after", admitAfter, "1 to 255");
    check(
        expireAfter == null || !expireAfter.isZero(), "expire-after", "0", "a duration above zero");
    check(kind != Kind.NONE || of.isEmpty(), "of", of, "nothing, without `kind: pairs`");
    check(of.size() != 1 && Set.copyOf(of).size() == of.size(), "of", of, "2 or more, each once");
  }

  /**
   * All fields that the models see: those given, then a cross, named {@code a*b}, of every two that
   * are to be crossed and are not crossed among the given ones already. Crosses that do not say
   * when their rows expire do so with the first of their fields'.
   */
  public List<FeatureField> with(List<FeatureField> given) {
    List<FeatureField> all = new ArrayList<>(given);
    if (kind == Kind.PAIRS) {
      Set<List<String>> there = new HashSet<>();
      given.forEach(field -> there.add(field.of()));
      List<String> crossed = crossed(given);
      for (int i = 0; i < crossed.size(); i++) {
        for (String other : crossed.subList(i + 1, crossed.size())) {
          List<String> pair = Stream.of(crossed.get(i), other).sorted().toList();
          if (!there.contains(pair)) {
            all.add(
                DerivedFields.cross(String.join("*", pair), pair, dim, admitAfter, expireAfter));
          }
        }
      }
    }
    return all.stream().map(field -> DerivedFields.resolved(field, given)).toList();
  }

  private List<String> crossed(List<FeatureField> given) {
    return of.isEmpty()
        ? given.stream().filter(FeatureField::crossable).map(FeatureField::name).distinct().toList()
        : of;
  }
}
