package dev.freshet.core.events.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.EventJson;
import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.RejectReason;
import dev.freshet.core.events.Rejection;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.thisptr.jackson.jq.Scope;
import net.thisptr.jackson.jq.exception.JsonQueryException;
import org.jspecify.annotations.Nullable;

/** Applies one {@link EventMapping}: of messages of any layout it makes trees of Freshet's own. */
final class EventMapper {

  /** True if messages hold several, so that what is theirs is said by {@code $message}. */
  private final boolean exploded;

  /** True if it says how times are written. */
  private final boolean timed;

  private final JqExpression when;
  private final JqExpression each;
  private final JqExpression impressionId;
  private final JqExpression eventId;
  private final JqExpression eventTime;
  private final TimeMapping times;
  private final JqExpression features;
  private final Map<String, JqExpression> fields = new LinkedHashMap<>();
  private final JqExpression served;

  /** The task, or null for impressions. */
  private final @Nullable String kind;

  private final JqExpression value;

  /** One event of a message: what it is made of, and the names that expressions see. */
  private record Source(JsonNode input, Scope scope) {}

  private EventMapper(EventMapping mapping, @Nullable String kind, boolean amount) {
    this.kind = kind;
    exploded = mapping.each() != null;
    timed =
        mapping.timeUnit() != null || mapping.timeZone() != null || mapping.timePattern() != null;
    when = mapping.expression("when", mapping.when(), "true");
    each = mapping.expression("each", mapping.each(), ".");
    impressionId = mapping.expression("impression-id", mapping.impressionId(), ".impression_id");
    eventId = mapping.expression("event-id", mapping.eventId(), ".event_id");
    eventTime = mapping.expression("event-time", mapping.eventTime(), ".event_time");
    times = mapping.times();
    value = mapping.expression("value", mapping.value(), amount ? ".value" : "empty");
    features = mapping.expression("features", mapping.features(), ".features");
    mapping.fields().forEach((field, text) -> fields.put(field, JqExpression.of(text)));
    served = mapping.expression("served", mapping.served(), ".served");
  }

  static EventMapper ofImpressions(EventMapping mapping) {
    return new EventMapper(mapping, null, false);
  }

  /**
   * Of feedback.
   *
   * @param kind name of the task
   * @param amount true if it is continuous
   */
  static EventMapper ofFeedback(EventMapping mapping, String kind, boolean amount) {
    return new EventMapper(mapping, kind, amount);
  }

  /** The events of a message: none if it is passed over. Never throws, whatever it is. */
  List<Parsed<JsonNode>> events(JsonNode message) {
    if (!message.isContainerNode()) {
      return List.of(
          Parsed.rejected(
              new Rejection(
                  RejectReason.WRONG_TYPE, "message", message.toString(), "a JSON object")));
    }
    Scope scope = JqExpression.scope(message);
    List<Parsed<JsonNode>> events = new ArrayList<>(1);
    try {
      Source whole = new Source(message, scope);
      if (!isTrue(value("when", when, whole))) {
        return events;
      }
      for (JsonNode input : results("each", each, whole)) {
        events.add(
            exploded && !input.isObject()
                ? Parsed.rejected(notEach(input))
                : event(new Source(input, scope)));
      }
    } catch (UnmappedException e) {
      events.add(Parsed.rejected(e.rejection));
    }
    return events;
  }

  private static Rejection notEach(JsonNode input) {
    return new Rejection(
        RejectReason.WRONG_TYPE,
        "each",
        input.toString(),
        "an object; `[]` behind an expression gives what is in its list");
  }

  private Parsed<JsonNode> event(Source source) {
    try {
      return Parsed.of(kind == null ? impression(source) : feedback(source, kind));
    } catch (UnmappedException e) {
      return Parsed.rejected(e.rejection);
    }
  }

  private ObjectNode impression(Source source) throws UnmappedException {
    ObjectNode event = common(source);
    JsonNode all = value("features", features, source);
    boolean absent = all.isMissingNode() || all.isNull();
    if (!absent && !all.isObject()) {
      throw new UnmappedException(
          new Rejection(RejectReason.WRONG_TYPE, "features", all.toString(), "an object"));
    }
    if (fields.isEmpty()) {
      put(event, "features", all);
    } else {
      ObjectNode own = event.putObject("features");
      if (all instanceof ObjectNode object) {
        own.setAll(object);
      }
      for (Map.Entry<String, JqExpression> field : fields.entrySet()) {
        own.remove(field.getKey());
        String at = "features." + field.getKey();
        put(own, field.getKey(), value(at, field.getValue(), source));
      }
    }
    put(event, "served", value("served", served, source));
    return event;
  }

  private ObjectNode feedback(Source source, String of) throws UnmappedException {
    ObjectNode event = common(source).put("kind", of);
    put(event, "event_id", there("event_id", eventId, source));
    put(event, "value", number(value("value", value, source)));
    return event;
  }

  private ObjectNode common(Source source) throws UnmappedException {
    ObjectNode event = JsonNodeFactory.instance.objectNode();
    put(event, "impression_id", there("impression_id", impressionId, source));
    JsonNode time = there("event_time", eventTime, source);
    event.set("event_time", times.millis(time));
    if (timed && EventReader.timeOf(event).isEmpty()) {
      throw new UnmappedException(
          new Rejection(RejectReason.INVALID_TIME, "event_time", time.asText(), times.allowed()));
    }
    return event;
  }

  /** What has to be there, and where it was looked for. */
  private JsonNode there(String field, JqExpression expression, Source source)
      throws UnmappedException {
    JsonNode value = value(field, expression, source);
    if (value.isMissingNode() || value.isNull()) {
      throw new UnmappedException(
          new Rejection(
              RejectReason.MISSING_FIELD,
              field,
              null,
              "what `"
                  + expression
                  + "` gives, which is nothing here"
                  + (exploded ? "; `$message` is the message that `each` is applied to" : "")));
    }
    return value;
  }

  private static void put(ObjectNode event, String name, JsonNode value) {
    if (!value.isMissingNode()) {
      event.set(name, value);
    }
  }

  /** A number of what stands for one; anything else as it is, for the reader to refuse. */
  private static JsonNode number(JsonNode value) {
    if (value.isBoolean()) {
      return new IntNode(value.asBoolean() ? 1 : 0);
    }
    return value.isTextual() && EventJson.isNumber(value.asText())
        ? new DoubleNode(Double.parseDouble(value.asText()))
        : value;
  }

  /** As jq has it: all but false and null. */
  private static boolean isTrue(JsonNode value) {
    return !value.isMissingNode() && !value.isNull() && !(value.isBoolean() && !value.asBoolean());
  }

  private static JsonNode value(String field, JqExpression expression, Source source)
      throws UnmappedException {
    try {
      return expression.value(source.input, source.scope);
    } catch (JsonQueryException | RuntimeException e) {
      throw UnmappedException.of(field, expression, source.input, e);
    }
  }

  private static List<JsonNode> results(String field, JqExpression expression, Source source)
      throws UnmappedException {
    try {
      return expression.apply(source.input, source.scope);
    } catch (JsonQueryException | RuntimeException e) {
      throw UnmappedException.of(field, expression, source.input, e);
    }
  }

  /** Carries a rejection out of an event; costs no stack trace. */
  private static final class UnmappedException extends Exception {
    private static final long serialVersionUID = 1L;
    private final transient Rejection rejection;

    UnmappedException(Rejection rejection) {
      super(null, null, false, false);
      this.rejection = rejection;
    }

    static UnmappedException of(
        String field, JqExpression expression, JsonNode input, Exception why) {
      return new UnmappedException(
          new Rejection(
              RejectReason.MAPPING,
              field,
              input.toString(),
              "what `" + expression + "` works on: " + why.getMessage()));
    }
  }
}
