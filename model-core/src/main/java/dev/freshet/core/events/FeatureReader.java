package dev.freshet.core.events;

import static dev.freshet.core.events.EventValues.isAbsent;
import static dev.freshet.core.events.EventValues.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.freshet.core.events.FieldCounts.Kind;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Reads the feature fields of impressions, and counts what it finds in them. */
final class FeatureReader implements Serializable {

  private static final long serialVersionUID = 1L;

  private static final String[] NO_VALUES = {};
  private static final float[] ALIKE = {};
  private static final String WEIGHTED_ALLOWED =
      "an object of values and their weights, a value, or a list of values or pairs of value and"
          + " weight";
  private static final String WEIGHT_ALLOWED = "weights of 0 to 3.4e38";

  private final ImpressionFields fields;
  private final FieldCounts counts;

  FeatureReader(ImpressionFields fields) {
    this.fields = fields;
    counts = new FieldCounts(fields.names());
  }

  FieldCounts counts() {
    return counts;
  }

  /** All fields are looked at before the first fault is told. */
  RawFeatures read(JsonNode node) throws Refused {
    if (!node.isObject() && !node.isMissingNode() && !node.isNull()) {
      throw new Refused(RejectReason.WRONG_TYPE, "features", node.toString(), "an object");
    }
    counts.impression();
    Refused first = null;
    int size = fields.categorical().size();
    String[][] categories = new String[size][];
    int vectors = fields.vectors().size();
    float[][] weights = new float[fields.withFloats() ? size + vectors : 0][];
    Arrays.fill(weights, ALIKE);
    double[] numbers = new double[fields.numeric().size()];
    for (int i = 0; i < size + numbers.length + vectors; i++) {
      try {
        if (i < size && fields.weighted().contains(fields.categorical().get(i))) {
          WeightedValues values = weighted(node, i);
          categories[i] = values.values.toArray(NO_VALUES);
          weights[i] = values.weights();
        } else if (i < size) {
          categories[i] = categories(node, i);
        } else if (i < size + numbers.length) {
          numbers[i - size] = number(node, i);
        } else {
          weights[i - numbers.length] = vector(node, i);
        }
      } catch (Refused refused) {
        counts.add(i, Kind.WRONG_TYPE);
        first = first == null ? refused : first;
      }
    }
    if (first != null) {
      throw first;
    }
    return new RawFeatures(categories, numbers, weights);
  }

  private double number(JsonNode features, int field) throws Refused {
    String name = fields.numeric().get(field - fields.categorical().size());
    JsonNode node = features.path(name);
    if (isAbsent(node)) {
      counts.add(field, Kind.ABSENT);
      return Double.NaN;
    }
    double value = EventValues.number(node, "features." + name);
    if (value < 0 && fields.counts().contains(name)) {
      throw new Refused(
          RejectReason.INVALID_VALUE,
          "features." + name,
          node.toString(),
          "0 or more: it is a count, or a rate of two");
    }
    if (node.isTextual()) {
      counts.add(field, Kind.NUMBER_AS_TEXT);
    }
    return value;
  }

  private String[] categories(JsonNode features, int field) throws Refused {
    String name = fields.categorical().get(field);
    JsonNode node = features.path(name);
    String at = "features." + name;
    boolean many = fields.many().contains(name);
    String[] values = NO_VALUES;
    if (node.isArray() && many) {
      values = list(node, at);
    } else if (!isAbsent(node)) {
      if (!node.isValueNode()) {
        throw new Refused(
            RejectReason.WRONG_TYPE,
            at,
            node.toString(),
            many ? "a value or a flat list" : "one value; lists need `many: true`");
      }
      values = new String[] {text(node, at, EventReader.LONGEST_VALUE)};
    }
    if (values.length == 0) {
      counts.add(field, Kind.ABSENT);
    }
    return values;
  }

  /** Values with weights: an object, or a list of values and of pairs of a value and its weight. */
  private WeightedValues weighted(JsonNode features, int field) throws Refused {
    String name = fields.categorical().get(field);
    JsonNode node = features.path(name);
    String at = "features." + name;
    requireFew(node, at);
    WeightedValues values = new WeightedValues();
    boolean asText = false;
    if (node.isObject()) {
      for (Map.Entry<String, JsonNode> entry : node.properties()) {
        JsonNode value = TextNode.valueOf(entry.getKey());
        values.add(text(value, at, EventReader.LONGEST_VALUE), weight(entry.getValue(), at));
        asText |= entry.getValue().isTextual();
      }
    } else if (node.isArray()) {
      for (JsonNode item : node) {
        boolean pair = item.isArray() && item.size() == 2;
        JsonNode value = pair ? item.get(0) : item;
        if (!value.isValueNode() || value.isNull()) {
          throw new Refused(RejectReason.WRONG_TYPE, at, node.toString(), WEIGHTED_ALLOWED);
        }
        values.add(text(value, at, EventReader.LONGEST_VALUE), pair ? weight(item.get(1), at) : 1);
        asText |= pair && item.get(1).isTextual();
      }
    } else if (!isAbsent(node)) {
      values.add(text(node, at, EventReader.LONGEST_VALUE), 1);
    }
    if (values.values.isEmpty()) {
      counts.add(field, Kind.ABSENT);
    } else if (asText) {
      counts.add(field, Kind.NUMBER_AS_TEXT);
    }
    return values;
  }

  private float[] vector(JsonNode features, int field) throws Refused {
    VectorField of =
        fields.vectors().get(field - fields.categorical().size() - fields.numeric().size());
    JsonNode node = features.path(of.name());
    if (isAbsent(node) || node.isArray() && node.isEmpty()) {
      counts.add(field, Kind.ABSENT);
      return ALIKE;
    }
    String at = "features." + of.name();
    String allowed = "a list of " + of.size() + " numbers";
    if (!node.isArray()) {
      throw new Refused(RejectReason.WRONG_TYPE, at, node.toString(), allowed);
    }
    if (node.size() != of.size()) {
      throw new Refused(RejectReason.INVALID_VALUE, at, node.size() + " values", allowed);
    }
    float[] numbers = new float[of.size()];
    boolean asText = false;
    for (int i = 0; i < numbers.length; i++) {
      JsonNode number = node.get(i);
      numbers[i] = (float) EventValues.number(number, at);
      asText |= number.isTextual();
      if (!Float.isFinite(numbers[i])) {
        throw new Refused(
            RejectReason.INVALID_VALUE, at, number.toString(), "numbers of up to 3.4e38");
      }
    }
    if (asText) {
      counts.add(field, Kind.NUMBER_AS_TEXT);
    }
    return numbers;
  }

  private static float weight(JsonNode node, String at) throws Refused {
    if (isAbsent(node)) {
      throw new Refused(RejectReason.WRONG_TYPE, at, String.valueOf(node), WEIGHT_ALLOWED);
    }
    float weight = (float) EventValues.number(node, at);
    if (weight < 0 || !Float.isFinite(weight)) {
      throw new Refused(RejectReason.INVALID_VALUE, at, node.toString(), WEIGHT_ALLOWED);
    }
    return weight;
  }

  /** Values with weights; those of weight 0 are left out. */
  private static final class WeightedValues {
    private final List<String> values = new ArrayList<>();
    private float[] weights = {};

    void add(String value, float weight) {
      if (!value.isEmpty() && weight > 0) {
        if (values.size() == weights.length) {
          weights = Arrays.copyOf(weights, Math.max(8, 2 * weights.length));
        }
        weights[values.size()] = weight;
        values.add(value);
      }
    }

    float[] weights() {
      return Arrays.copyOf(weights, values.size());
    }
  }

  private static void requireFew(JsonNode node, String at) throws Refused {
    if (node.size() > EventReader.MOST_VALUES) {
      throw new Refused(
          RejectReason.TOO_LARGE,
          at,
          node.size() + " values",
          "up to " + EventReader.MOST_VALUES + " values");
    }
  }

  private static String[] list(JsonNode node, String at) throws Refused {
    requireFew(node, at);
    List<String> values = new ArrayList<>(node.size());
    for (JsonNode item : node) {
      if (!item.isValueNode() || item.isNull()) {
        throw new Refused(RejectReason.WRONG_TYPE, at, node.toString(), "a value or a flat list");
      }
      if (!isAbsent(item)) {
        values.add(text(item, at, EventReader.LONGEST_VALUE));
      }
    }
    return values.toArray(NO_VALUES);
  }
}
