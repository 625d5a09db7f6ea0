package dev.freshet.core.events;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Events as JSON objects (UTF-8).
 *
 * <pre>
 * {"impression_id": "i1", "event_time": 1767225600000, "features": {"user_id": "u7", "price": 9.5, "tags": ["a", "b"]},
 *  "served": {"model": "main", "version": "1767225000-400", "scores": {"click": 0.02}}}
 * {"impression_id": "i1", "event_id": "c1", "kind": "click", "event_time": "2026-01-01T00:00:03Z"}
 * {"impression_id": "i1", "event_id": "r1", "kind": "revenue", "event_time": 1767225700000, "value": 12.5}
 * </pre>
 *
 * Times are epoch milliseconds or ISO-8601 with a zone, from 2000 up to one day from now. Unknown
 * keys are ignored. {@code features} and {@code served} may be absent.
 */
public final class JsonEventFormat implements EventFormat {

  private static final ObjectReader READER =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build()
          .readerFor(JsonNode.class);
  private static final String[] NO_VALUES = {};
  private static final long EARLIEST = Instant.parse("2000-01-01T00:00:00Z").toEpochMilli();
  private static final long AHEAD = 24 * 60 * 60 * 1000L;
  private static final String TIME_ALLOWED =
      "epoch milliseconds or ISO-8601 with a zone, from 2000 up to one day from now";

  private final ImpressionFields fields;
  private final List<FeedbackKind> kinds;

  public JsonEventFormat(ImpressionFields fields, List<FeedbackKind> kinds) {
    this.fields = fields;
    this.kinds = List.copyOf(kinds);
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
      return Parsed.of(new Impression(id, time, features(root.path("features")), served(root)));
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
      JsonNode root = READER.readTree(message);
      requireObject(root);
      return root;
    } catch (JsonProcessingException e) {
      throw refuse(
          RejectReason.MALFORMED_JSON, "message", e.getOriginalMessage(), "one JSON object");
    } catch (IOException e) {
      throw refuse(RejectReason.MALFORMED_JSON, "message", e.getMessage(), "one JSON object");
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
      throw refuse(RejectReason.MISSING_FIELD, field, null, "text that is not empty");
    }
    if (!node.isTextual() && !node.isIntegralNumber()) {
      throw refuse(RejectReason.WRONG_TYPE, field, node.toString(), "text that is not empty");
    }
    String text = node.asText();
    if (text.isEmpty()) {
      throw refuse(RejectReason.INVALID_VALUE, field, text, "text that is not empty");
    }
    return text;
  }

  private static long time(JsonNode root) throws Refused {
    JsonNode node = root.path("event_time");
    if (node.isMissingNode() || node.isNull()) {
      throw refuse(RejectReason.MISSING_FIELD, "event_time", null, TIME_ALLOWED);
    }
    long time;
    if (node.canConvertToLong() && node.isIntegralNumber()) {
      time = node.asLong();
    } else if (node.isTextual()) {
      try {
        time = Instant.parse(node.asText()).toEpochMilli();
      } catch (DateTimeParseException | ArithmeticException e) {
        throw refuse(RejectReason.INVALID_TIME, "event_time", node.asText(), TIME_ALLOWED);
      }
    } else {
      throw refuse(RejectReason.WRONG_TYPE, "event_time", node.toString(), TIME_ALLOWED);
    }
    // One event from the far future would push the watermark past every open window.
    if (time < EARLIEST || time > System.currentTimeMillis() + AHEAD) {
      throw refuse(RejectReason.INVALID_TIME, "event_time", node.asText(), TIME_ALLOWED);
    }
    return time;
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
      return finite(node, "value");
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
    String[][] categories = new String[fields.categorical().size()][];
    for (int i = 0; i < categories.length; i++) {
      String name = fields.categorical().get(i);
      categories[i] = categories(node.path(name), "features." + name);
    }
    double[] numbers = new double[fields.numeric().size()];
    for (int i = 0; i < numbers.length; i++) {
      String name = fields.numeric().get(i);
      JsonNode value = node.path(name);
      numbers[i] =
          value.isMissingNode() || value.isNull() ? Double.NaN : finite(value, "features." + name);
    }
    return new RawFeatures(categories, numbers);
  }

  private static String[] categories(JsonNode node, String field) throws Refused {
    if (node.isMissingNode() || node.isNull()) {
      return NO_VALUES;
    }
    if (node.isValueNode()) {
      return new String[] {node.asText()};
    }
    if (node.isArray()) {
      List<String> values = new ArrayList<>(node.size());
      for (JsonNode item : node) {
        if (!item.isValueNode() || item.isNull()) {
          throw refuse(RejectReason.WRONG_TYPE, field, node.toString(), "a value or a flat list");
        }
        values.add(item.asText());
      }
      return values.toArray(NO_VALUES);
    }
    throw refuse(RejectReason.WRONG_TYPE, field, node.toString(), "a value or a flat list");
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
    return new Served(node.path("model").asText(""), node.path("version").asText(""), scores);
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
