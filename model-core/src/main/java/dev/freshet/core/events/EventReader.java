package dev.freshet.core.events;

import static dev.freshet.core.events.EventValues.ID_ALLOWED;
import static dev.freshet.core.events.EventValues.finite;
import static dev.freshet.core.events.EventValues.isAbsent;
import static dev.freshet.core.events.EventValues.number;
import static dev.freshet.core.events.EventValues.text;
import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads events from what any {@link EventFormat} makes of a message: an object, drawn here as JSON.
 * Never throws on bad input.
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
public final class EventReader implements Serializable {

  private static final long serialVersionUID = 1L;

  /** Most bytes of UTF-8 in an id, and in what was served. */
  public static final int LONGEST_ID = 1024;

  /** Most bytes of UTF-8 in one value of a categorical field. */
  public static final int LONGEST_VALUE = 4096;

  /** Most values of one field. */
  public static final int MOST_VALUES = 1000;

  /** Largest amount, and largest refund: sums of many stay finite. */
  public static final double LARGEST_AMOUNT = 1e300;

  private final ImpressionFields fields;
  private final List<FeedbackKind> kinds;
  private final EventFormat format;
  private final FeatureReader features;

  /**
   * @param kinds the kinds of feedback, in the order of the tasks
   */
  public EventReader(EventFormat format, ImpressionFields fields, List<FeedbackKind> kinds) {
    this.format = format;
    this.fields = fields;
    this.kinds = List.copyOf(kinds);
    features = new FeatureReader(fields);
  }

  /** Counts of the feature fields of the impressions that this instance was given. */
  public FieldCounts fieldCounts() {
    return features.counts();
  }

  /** Reads the bytes of a message; null for one without a body. */
  public Parsed<Impression> impression(byte @Nullable [] message) {
    try {
      return impression(format.read(message));
    } catch (UnreadableMessageException e) {
      return Parsed.rejected(e.rejection());
    }
  }

  /** As {@link #impression(byte[])}, of a message that is parsed already. */
  public Parsed<Impression> impression(JsonNode root) {
    try {
      requireObject(root);
      String id = text(root, "impression_id");
      long time = time(root);
      RawFeatures read = features.read(root.path("features"));
      return Parsed.of(new Impression(id, time, read, served(root), deadlines(root)));
    } catch (Refused refused) {
      return Parsed.rejected(refused.rejection());
    }
  }

  /**
   * Reads the bytes of a message; null for one without a body.
   *
   * @param topicKind the kind that the topic stands for, or null where the message must say it
   */
  public Parsed<Feedback> feedback(byte @Nullable [] message, @Nullable String topicKind) {
    try {
      return feedback(format.read(message), topicKind);
    } catch (UnreadableMessageException e) {
      return Parsed.rejected(e.rejection());
    }
  }

  /** As {@link #feedback(byte[], String)}, of a message that is parsed already. */
  public Parsed<Feedback> feedback(JsonNode root, @Nullable String topicKind) {
    try {
      requireObject(root);
      String id = text(root, "impression_id");
      String eventId = text(root, "event_id");
      String kind =
          topicKind != null && root.path("kind").isMissingNode() ? topicKind : text(root, "kind");
      int task = task(kind);
      long time = time(root);
      double value = feedbackValue(root.path("value"), kinds.get(task));
      return Parsed.of(new Feedback(id, eventId, task, time, value));
    } catch (Refused refused) {
      return Parsed.rejected(refused.rejection());
    }
  }

  private static void requireObject(JsonNode root) throws Refused {
    if (!root.isObject()) {
      throw new Refused(RejectReason.WRONG_TYPE, "message", root.toString(), "a JSON object");
    }
  }

  private static long time(JsonNode root) throws Refused {
    JsonNode node = root.path("event_time");
    if (node.isMissingNode() || node.isNull()) {
      throw new Refused(RejectReason.MISSING_FIELD, "event_time", null, EventTimes.allowed(node));
    }
    return EventValues.time(node, "event_time");
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
    throw new Refused(RejectReason.UNKNOWN_KIND, "kind", kind, "one of " + known);
  }

  private static double feedbackValue(JsonNode node, FeedbackKind kind) throws Refused {
    boolean absent = node.isMissingNode() || node.isNull();
    if (kind.continuous()) {
      if (absent) {
        throw new Refused(
            RejectReason.MISSING_FIELD, "value", null, "a number, for " + kind.name());
      }
      double amount = finite(node, "value");
      if (Math.abs(amount) > LARGEST_AMOUNT) {
        throw new Refused(
            RejectReason.TOO_LARGE,
            "value",
            node.toString(),
            "-1e300 to 1e300, for " + kind.name());
      }
      return amount;
    }
    double value = absent ? 1 : finite(node, "value");
    if (value != 1 && !(value == 0 && kind.explicitNegatives())) {
      throw new Refused(
          RejectReason.INVALID_VALUE,
          "value",
          node.toString(),
          kind.explicitNegatives() ? "0, 1 or absent" : "1 or absent, for " + kind.name());
    }
    return value;
  }

  private List<Deadline> deadlines(JsonNode root) {
    List<Deadline> all = new ArrayList<>(fields.deadlines().size());
    for (DeadlineField field : fields.deadlines()) {
      String name = field.field();
      all.add(name == null ? Deadline.ABSENT : deadline(root, field, name));
    }
    return all;
  }

  /** Whatever stands there, the impression is one: its window is then that of all others. */
  private static Deadline deadline(JsonNode root, DeadlineField field, String name) {
    String at = "features." + name;
    JsonNode node = root.path("features").path(name);
    if (isAbsent(node)) {
      at = name;
      node = root.path(at);
    }
    if (isAbsent(node)) {
      return Deadline.ABSENT;
    }
    try {
      if (field.at() != null) {
        return Deadline.at(EventValues.time(node, at));
      }
      double millis = number(node, at) * requireNonNull(field.unit()).toMillis();
      return Deadline.after(
          Math.round(
              Math.max(-EventTimes.LONGEST_SPAN, Math.min(EventTimes.LONGEST_SPAN, millis))));
    } catch (Refused refused) {
      return Deadline.invalid(refused.rejection().toString());
    }
  }

  private @Nullable Served served(JsonNode root) throws Refused {
    JsonNode node = root.path("served");
    if (node.isMissingNode() || node.isNull()) {
      return null;
    }
    if (!node.isObject()) {
      throw new Refused(RejectReason.WRONG_TYPE, "served", node.toString(), "an object");
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
      throw new Refused(RejectReason.WRONG_TYPE, "served." + field, node.toString(), ID_ALLOWED);
    }
    return text(node, "served." + field, LONGEST_ID);
  }
}
