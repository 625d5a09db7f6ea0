package dev.freshet.local.sample;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;

/** What a sample's impressions have in one field. */
final class FieldProfile {

  private static final double MOSTLY = 0.9;

  private static final int VARIED = -1;
  private static final int MANY = 1000;
  private static final double LARGEST_WHOLE = 1e15;

  private final Map<String, int[]> counts = new HashMap<>();
  private final Numbers numbers = new Numbers();
  private long there;
  private long values;
  private long lists;
  private long withAnswer;
  private long weighted;
  private long numeric;
  private long texts;
  private long whole;
  private long commas;
  private long nested;
  private int size;

  /**
   * One more impression's value; what is null or empty is none.
   *
   * @param answered true if the same message is feedback too
   */
  void add(JsonNode value, boolean answered) {
    if (isAbsent(value)) {
      return;
    }
    there++;
    withAnswer += answered ? 1 : 0;
    if (value.isArray()) {
      lists++;
      size = lists == 1 ? value.size() : size == value.size() ? size : VARIED;
      value.forEach(this::single);
    } else if (value.isObject()) {
      weighted++;
      value
          .properties()
          .forEach(
              one -> {
                count(one.getKey());
                nested += one.getValue().isNumber() ? 0 : 1;
              });
    } else {
      single(value);
    }
  }

  /** True if it is there only in messages that are feedback too, and so is known too late. */
  boolean isOutcome(long impressions) {
    return there > 0 && withAnswer == there && there < MOSTLY * impressions;
  }

  static boolean isAbsent(JsonNode value) {
    return value.isMissingNode()
        || value.isNull()
        || value.isTextual() && value.asText().isEmpty()
        || value.isContainerNode() && value.isEmpty();
  }

  private void single(JsonNode value) {
    if (value.isContainerNode()) {
      nested++;
      return;
    }
    count(value.isNumber() ? plain(value) : value.asText());
    if (value.isNumber()) {
      number(value.asDouble());
    } else if (value.isTextual()) {
      texts++;
      commas += value.asText().matches("-?\\d+,\\d+") ? 1 : 0;
      try {
        number(Double.parseDouble(value.asText()));
      } catch (NumberFormatException e) {
        return; // a name
      }
    }
  }

  /** As the name of a value: 2.0 and 2 are one. */
  private static String plain(JsonNode number) {
    double value = number.asDouble();
    return value == Math.rint(value) && Math.abs(value) < LARGEST_WHOLE
        ? Long.toString((long) value)
        : number.asText();
  }

  private void number(double number) {
    if (Double.isFinite(number)) {
      numeric++;
      whole += number == Math.rint(number) ? 1 : 0;
      numbers.add(number);
    }
  }

  private void count(String value) {
    values++;
    counts.computeIfAbsent(value, v -> new int[1])[0]++;
  }

  /** Impressions that have it. */
  long there() {
    return there;
  }

  /** Values, of lists each. */
  long values() {
    return values;
  }

  int distinct() {
    return counts.size();
  }

  /** True if no value of many came a second time. */
  boolean isNewEachTime() {
    return values >= MANY && counts.size() == values;
  }

  /** The share of the different values that came once. */
  double once() {
    long once = counts.values().stream().filter(count -> count[0] == 1).count();
    return counts.isEmpty() ? 0 : (double) once / counts.size();
  }

  /** The most frequent value; empty without one. */
  String top() {
    return counts.entrySet().stream()
        .max(
            Comparator.<Map.Entry<String, int[]>>comparingInt(one -> one.getValue()[0])
                .thenComparing(Map.Entry.comparingByKey(Comparator.reverseOrder())))
        .map(Map.Entry::getKey)
        .orElse("");
  }

  /** The share of the values that are the most frequent one. */
  double topShare() {
    int most = counts.values().stream().mapToInt(count -> count[0]).max().orElse(0);
    return values == 0 ? 0 : (double) most / values;
  }

  /** Those of its values that are numbers, or texts that are. */
  Numbers numbers() {
    return numbers;
  }

  /** True if all values are numbers, or texts that are. */
  boolean isNumeric() {
    return values > 0 && numeric == values;
  }

  /** True if all its numbers are whole. */
  boolean isWhole() {
    return whole == numeric;
  }

  /** Values that are texts. */
  long texts() {
    return texts;
  }

  /** True if most of its values are texts with a comma where a number has its point. */
  boolean hasDecimalCommas() {
    return 2 * commas > values;
  }

  boolean hasLists() {
    return lists > 0;
  }

  boolean hasWeights() {
    return weighted > 0;
  }

  /** True if there are objects or lists within. */
  boolean isNested() {
    return nested > 0;
  }

  /** The length of its lists, if all impressions that have it have lists of this one; else 0. */
  int size() {
    return lists == there && size > 1 ? size : 0;
  }
}
