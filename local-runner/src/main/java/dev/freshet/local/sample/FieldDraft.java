package dev.freshet.local.sample;

import java.util.Locale;

/** A field of a pipeline file, as a sample suggests it. */
final class FieldDraft {

  private static final double ALWAYS = 0.9999;

  /** Whole numbers of which there are fewer are names of something. */
  private static final int CODES = 40;

  private final String name;
  private final FieldProfile found;
  private final long impressions;

  private FieldDraft(String name, FieldProfile found, long impressions) {
    this.name = name;
    this.found = found;
    this.impressions = impressions;
  }

  static FieldDraft of(String name, FieldProfile found, long impressions) {
    return new FieldDraft(name, found, impressions);
  }

  /** Why it is left out; empty if it is of use. */
  String fault() {
    if (found.there() == 0) {
      return "absent in all";
    }
    if (found.isNested()) {
      return "has objects within, which cannot be read";
    }
    if (found.isOutcome(impressions)) {
      return "it is there only where there is feedback: what is known afterwards?";
    }
    if (isVector()) {
      return "";
    }
    if (found.distinct() == 1 && found.there() > ALWAYS * impressions) {
      return "always '" + SampleText.cut(found.top(), 40) + "'";
    }
    if (!isNumber() && found.isNewEachTime()) {
      return "has a new value in each impression";
    }
    return "";
  }

  boolean isOfUse() {
    return fault().isEmpty();
  }

  private boolean isVector() {
    return found.size() > 1 && found.isNumeric() && !found.isWhole() && found.texts() == 0;
  }

  private boolean isNumber() {
    return found.isNumeric()
        && !found.hasLists()
        && !found.hasWeights()
        && (found.texts() == 0 || !found.isWhole())
        && (!found.isWhole() || found.distinct() > CODES)
        && !isIdentifier();
  }

  /** Whole numbers in a field whose name says so are names of something, however many there are. */
  private boolean isIdentifier() {
    String lower = name.toLowerCase(Locale.ROOT);
    return found.isWhole()
        && (lower.equals("id")
            || lower.endsWith("_id")
            || lower.endsWith("-id")
            || lower.equals("uid")
            || name.endsWith("Id")
            || name.endsWith("ID"));
  }

  /** What may be wrong with the guess; empty if nothing is known to be. */
  String doubt() {
    if (found.hasDecimalCommas()) {
      return "its numbers have a decimal comma and are texts here; with a point they are numbers";
    }
    return !isNumber()
            && !isVector()
            && found.isNumeric()
            && found.texts() > 0
            && found.distinct() > CODES
        ? "its values are numbers as texts; `kind: numeric` if they measure something"
        : "";
  }

  /** As it stands in the list {@code features}, without the hyphen. */
  String line() {
    String quoted = SampleText.yaml(name);
    if (isVector()) {
      return "{name: %s, kind: vector, size: %d}".formatted(quoted, found.size());
    }
    if (isNumber()) {
      return "{name: %s, kind: numeric}".formatted(quoted);
    }
    return "{name: %s, kind: categorical%s%s}"
        .formatted(
            quoted,
            found.hasLists() || found.hasWeights() ? ", many: true" : "",
            found.hasWeights() ? ", weighted: true" : "");
  }
}
