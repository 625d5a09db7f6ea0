package dev.freshet.core.events;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.freshet.core.events.FieldCounts.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Events as JSON objects (UTF-8).
 *
 * <pre>
 * {"impression_id": "i1", "event_time": 1767225600000, "features": {"user_id": "u7", "price": 9.5, "tags": ["a", "b"],
 *    "topics": {"news": 0.7, "sport": 0.2}},
 *  "served": {"model": "main", "version": "1767225000-400", "scores": {"click": 0.02}}}
 * {"impression_id": "i1", "event_id": "c1", "kind": "click", "event_time": "2026-01-01T00:00:03Z"}
 * {"impression_id": "i1", "event_id": "r1", "kind": "revenue", "event_time": 1767225700000, "value": 12.5}
 * </pre>
 *
 * Times are what {@link EventTimes} reads. Unknown keys are ignored. {@code features} and {@code
 * served} may be absent. Where a task's deadline stands, {@link DeadlineField} says.
 *
 * <p>Where a text is wanted a number stands for its plain digits, so 7, 7.0 and "7" are one id;
 * texts are compared character by character, without Unicode normalisation. Where a number is
 * wanted a text that is a JSON number is one. A field that is null, an empty text or an empty list
 * is absent. {@code docs/events.md} tells all of this to users.
 */
public final class JsonEventFormat implements EventFormat {

  /** Most bytes of UTF-8 in an id, and in what was served. */
  public static final int LONGEST_ID = 1024;

  /** Most bytes of UTF-8 in one value of a categorical field. */
  public static final int LONGEST_VALUE = 4096;

  /** Most values of one field. */
  public static final int MOST_VALUES = 1000;

  /** Largest amount, and largest refund: sums of many stay finite. */
  public static final double LARGEST_AMOUNT = 1e300;

  private static final String ID_ALLOWED =
      "text that is not empty, up to " + LONGEST_ID + " bytes, or a number";
  private static final String NUMBER_ALLOWED = "a number, or a text that is a JSON number";
  private static final Pattern NUMBER =
      Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");
  private static final String[] NO_VALUES = {};
  private static final float[] ALIKE = {};
  private static final String WEIGHTED_ALLOWED =
      "an object of values and their weights, a value, or a list of values or pairs of value and"
          + " weight";
  private static final String WEIGHT_ALLOWED = "weights of 0 to 3.4e38";
  private final ImpressionFields fields;
  private final List<FeedbackKind> kinds;
  private final FieldCounts counts;

  public JsonEventFormat(ImpressionFields fields, List<FeedbackKind> kinds) {
    this.fields = fields;
    this.kinds = List.copyOf(kinds);
    counts = new FieldCounts(fields.names());
  }

  @Override
  public FieldCounts fieldCounts() {
    return counts;
  }

  @Override
  public Parsed<Impression> impression(byte[] message) {
    try {
      return impression(object(message));
    } catch (Refused refused) {
      return Parsed.rejected(refused.rejection);
    }
  }

  /** As {@link #impression(byte[])}, of a message that is parsed already. */
  public Parsed<Impression> impression(JsonNode root) {
    try {
      requireObject(root);
      String id = text(root, "impression_id");
      long time = time(root);
      RawFeatures features = features(root.path("features"));
      return Parsed.of(new Impression(id, time, features, served(root), deadlines(root)));
    } catch (Refused refused) {
      return Parsed.rejected(refused.rejection);
    }
  }

  @Override
  public Parsed<Feedback> feedback(byte[] message, String topicKind) {
    try {
      JsonNode root = object(message);
      String id = text(root, "impression_id");
      String eventId = text(root, "event_id");
      String kind =
          topicKind != null && root.path("kind").isMissingNode() ? topicKind : text(root, "kind");
      int task = task(kind);
      long time = time(root);
      double value = feedbackValue(root.path("value"), kinds.get(task));
      return Parsed.of(new Feedback(id, eventId, task, time, value));
    } catch (Refused refused) {
      return Parsed.rejected(refused.rejection);
    }
  }

  private static JsonNode object(byte[] message) throws Refused {
    if (message == null || message.length == 0) {
      throw refuse(RejectReason.EMPTY_MESSAGE, "message", "", "a JSON object");
    }
    try {
      JsonNode root = EventJson.read(message);
      requireObject(root);
      return root;
    } catch (JsonProcessingException e) {
      throw refuse(
          RejectReason.MALFORMED_JSON, "message", e.getOriginalMessage(), "one JSON object");
    }
  }

  private static void requireObject(JsonNode root) throws Refused {
    if (!root.isObject()) {
      throw refuse(RejectReason.WRONG_TYPE, "message", root.toString(), "a JSON object");
    }
  }

  private static String text(JsonNode root, String field) throws Refused {
    JsonNode node = root.path(field);
    if (node.isMissingNode() || node.isNull()) {
      throw refuse(RejectReason.MISSING_FIELD, field, null, ID_ALLOWED);
    }
    if (!node.isTextual() && !node.isNumber()) {
      throw refuse(RejectReason.WRONG_TYPE, field, node.toString(), ID_ALLOWED);
    }
    String text = text(node, field, LONGEST_ID);
    if (text.isEmpty()) {
      throw refuse(RejectReason.INVALID_VALUE, field, text, ID_ALLOWED);
    }
    return text;
  }

  /** The text of a text, a number, true or false; the same one for each way to write a number. */
  private static String text(JsonNode node, String field, int longest) throws Refused {
    if (node.isNumber()) {
      String digits = EventJson.text(node);
      if (digits == null) {
        throw refuse(
            RejectReason.TOO_LARGE,
            field,
            node.toString(),
            "a number of up to " + EventJson.MOST_DIGITS + " digits");
      }
      return digits;
    }
    String text = node.asText();
    if (!EventJson.isWellFormed(text)) {
      throw refuse(
          RejectReason.INVALID_VALUE, field, text, "Unicode without halves of surrogate pairs");
    }
    if (!EventJson.fits(text, longest)) {
      throw refuse(RejectReason.TOO_LARGE, field, text, "up to " + longest + " bytes of UTF-8");
    }
    return text;
  }

  private static long time(JsonNode root) throws Refused {
    JsonNode node = root.path("event_time");
    if (node.isMissingNode() || node.isNull()) {
      throw refuse(RejectReason.MISSING_FIELD, "event_time", null, EventTimes.allowed(node));
    }
    return time(node, "event_time");
  }

  private static long time(JsonNode node, String field) throws Refused {
    OptionalLong time = EventTimes.of(node);
    if (time.isEmpty()) {
      throw EventTimes.isTyped(node)
          ? refuse(RejectReason.INVALID_TIME, field, node.asText(), EventTimes.allowed(node))
          : refuse(RejectReason.WRONG_TYPE, field, node.toString(), EventTimes.allowed(node));
    }
    // Seconds and microseconds are caught here. What is ahead of its arrival, who reads it sees.
    return time.getAsLong();
  }

  /** The event time of a message, epoch milliseconds, if it has one that is accepted. */
  public static OptionalLong timeOf(JsonNode message) {
    try {
      return OptionalLong.of(time(message));
    } catch (Refused refused) {
      return OptionalLong.empty();
    }
  }

  private int task(String kind) throws Refused {
    for (int i = 0; i < kinds.size(); i++) {
      if (kinds.get(i).name().equals(kind)) {
        return i;
      }
    }
    String known = kinds.stream().map(FeedbackKind::name).collect(Collectors.joining(", "));
    throw refuse(RejectReason.UNKNOWN_KIND, "kind", kind, "one of " + known);
  }

  private static double feedbackValue(JsonNode node, FeedbackKind kind) throws Refused {
    boolean absent = node.isMissingNode() || node.isNull();
    if (kind.continuous()) {
      if (absent) {
        throw refuse(RejectReason.MISSING_FIELD, "value", null, "a number, for " + kind.name());
      }
      double amount = finite(node, "value");
      if (Math.abs(amount) > LARGEST_AMOUNT) {
        throw refuse(
            RejectReason.TOO_LARGE,
            "value",
            node.toString(),
            "-1e300 to 1e300, for " + kind.name());
      }
      return amount;
    }
    double value = absent ? 1 : finite(node, "value");
    if (value != 1 && !(value == 0 && kind.explicitNegatives())) {
      throw refuse(
          RejectReason.INVALID_VALUE,
          "value",
          node.toString(),
          kind.explicitNegatives() ? "0, 1 or absent" : "1 or absent, for " + kind.name());
    }
    return value;
  }

  private static double finite(JsonNode node, String field) throws Refused {
    if (!node.isNumber()) {
      throw refuse(RejectReason.WRONG_TYPE, field, node.toString(), "a number");
    }
    double value = node.asDouble();
    if (!Double.isFinite(value)) {
      throw refuse(RejectReason.INVALID_VALUE, field, node.toString(), "a finite number");
    }
    return value;
  }

  private RawFeatures features(JsonNode node) throws Refused {
    if (!node.isObject() && !node.isMissingNode() && !node.isNull()) {
      throw refuse(RejectReason.WRONG_TYPE, "features", node.toString(), "an object");
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
    double value = number(node, "features." + name);
    if (value < 0 && fields.counts().contains(name)) {
      throw refuse(
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

  private static double number(JsonNode node, String at) throws Refused {
    if (!node.isTextual()) {
      return finite(node, at);
    }
    String text = node.asText();
    if (text.length() > EventJson.LONGEST_NUMBER || !NUMBER.matcher(text).matches()) {
      throw refuse(RejectReason.WRONG_TYPE, at, node.toString(), NUMBER_ALLOWED);
    }
    double value = Double.parseDouble(text);
    if (!Double.isFinite(value)) {
      throw refuse(RejectReason.INVALID_VALUE, at, node.toString(), "a finite number");
    }
    return value;
  }

  private List<Deadline> deadlines(JsonNode root) {
    List<Deadline> all = new ArrayList<>(fields.deadlines().size());
    for (DeadlineField field : fields.deadlines()) {
      all.add(field.present() ? deadline(root, field) : Deadline.ABSENT);
    }
    return all;
  }

  /** Whatever stands there, the impression is one: its window is then that of all others. */
  private static Deadline deadline(JsonNode root, DeadlineField field) {
    String at = "features." + field.field();
    JsonNode node = root.path("features").path(field.field());
    if (isAbsent(node)) {
      at = field.field();
      node = root.path(at);
    }
    if (isAbsent(node)) {
      return Deadline.ABSENT;
    }
    try {
      if (field.at() != null) {
        return Deadline.at(time(node, at));
      }
      double millis = number(node, at) * field.unit().toMillis();
      return Deadline.after(
          Math.round(
              Math.max(-EventTimes.LONGEST_SPAN, Math.min(EventTimes.LONGEST_SPAN, millis))));
    } catch (Refused refused) {
      return Deadline.invalid(refused.rejection.toString());
    }
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
        throw refuse(
            RejectReason.WRONG_TYPE,
            at,
            node.toString(),
            many ? "a value or a flat list" : "one value; lists need `many: true`");
      }
      values = new String[] {text(node, at, LONGEST_VALUE)};
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
    if (node.size() > MOST_VALUES) {
      throw refuse(
          RejectReason.TOO_LARGE, at, node.size() + " values", "up to " + MOST_VALUES + " values");
    }
    WeightedValues values = new WeightedValues();
    boolean asText = false;
    if (node.isObject()) {
      for (Map.Entry<String, JsonNode> entry : node.properties()) {
        JsonNode value = TextNode.valueOf(entry.getKey());
        values.add(text(value, at, LONGEST_VALUE), weight(entry.getValue(), at));
        asText |= entry.getValue().isTextual();
      }
    } else if (node.isArray()) {
      for (JsonNode item : node) {
        boolean pair = item.isArray() && item.size() == 2;
        JsonNode value = pair ? item.get(0) : item;
        if (!value.isValueNode() || value.isNull()) {
          throw refuse(RejectReason.WRONG_TYPE, at, node.toString(), WEIGHTED_ALLOWED);
        }
        values.add(text(value, at, LONGEST_VALUE), pair ? weight(item.get(1), at) : 1);
        asText |= pair && item.get(1).isTextual();
      }
    } else if (!isAbsent(node)) {
      values.add(text(node, at, LONGEST_VALUE), 1);
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
      throw refuse(RejectReason.WRONG_TYPE, at, node.toString(), allowed);
    }
    if (node.size() != of.size()) {
      throw refuse(RejectReason.INVALID_VALUE, at, node.size() + " values", allowed);
    }
    float[] numbers = new float[of.size()];
    boolean asText = false;
    for (int i = 0; i < numbers.length; i++) {
      JsonNode number = node.get(i);
      numbers[i] = (float) number(number, at);
      asText |= number.isTextual();
      if (!Float.isFinite(numbers[i])) {
        throw refuse(RejectReason.INVALID_VALUE, at, number.toString(), "numbers of up to 3.4e38");
      }
    }
    if (asText) {
      counts.add(field, Kind.NUMBER_AS_TEXT);
    }
    return numbers;
  }

  private static float weight(JsonNode node, String at) throws Refused {
    if (isAbsent(node)) {
      throw refuse(RejectReason.WRONG_TYPE, at, String.valueOf(node), WEIGHT_ALLOWED);
    }
    float weight = (float) number(node, at);
    if (weight < 0 || !Float.isFinite(weight)) {
      throw refuse(RejectReason.INVALID_VALUE, at, node.toString(), WEIGHT_ALLOWED);
    }
    return weight;
  }

  /** What has no weight is as if it were not there. */
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

  private static String[] list(JsonNode node, String at) throws Refused {
    if (node.size() > MOST_VALUES) {
      throw refuse(
          RejectReason.TOO_LARGE, at, node.size() + " values", "up to " + MOST_VALUES + " values");
    }
    List<String> values = new ArrayList<>(node.size());
    for (JsonNode item : node) {
      if (!item.isValueNode() || item.isNull()) {
        throw refuse(RejectReason.WRONG_TYPE, at, node.toString(), "a value or a flat list");
      }
      if (!isAbsent(item)) {
        values.add(text(item, at, LONGEST_VALUE));
      }
    }
    return values.toArray(NO_VALUES);
  }

  private static boolean isAbsent(JsonNode node) {
    return node.isMissingNode() || node.isNull() || node.isTextual() && node.asText().isEmpty();
  }

  private Served served(JsonNode root) throws Refused {
    JsonNode node = root.path("served");
    if (node.isMissingNode() || node.isNull()) {
      return null;
    }
    if (!node.isObject()) {
      throw refuse(RejectReason.WRONG_TYPE, "served", node.toString(), "an object");
    }
    double[] scores = new double[fields.scores().size()];
    for (int i = 0; i < scores.length; i++) {
      JsonNode score = node.path("scores").path(fields.scores().get(i));
      scores[i] =
          score.isMissingNode() || score.isNull()
              ? Double.NaN
              : finite(score, "served.scores." + fields.scores().get(i));
    }
    return new Served(name(node, "model"), name(node, "version"), scores);
  }

  private static String name(JsonNode served, String field) throws Refused {
    JsonNode node = served.path(field);
    if (isAbsent(node)) {
      return "";
    }
    if (!node.isTextual() && !node.isNumber()) {
      throw refuse(RejectReason.WRONG_TYPE, "served." + field, node.toString(), ID_ALLOWED);
    }
    return text(node, "served." + field, LONGEST_ID);
  }

  private static Refused refuse(RejectReason reason, String field, String value, String allowed) {
    return new Refused(new Rejection(reason, field, value, allowed));
  }

  /**
   * Carries a rejection out of nested parsing; costs no stack trace and never leaves this class.
   */
  private static final class Refused extends Exception {
    private final transient Rejection rejection;

    Refused(Rejection rejection) {
      super(null, null, false, false);
      this.rejection = rejection;
    }
  }
}
