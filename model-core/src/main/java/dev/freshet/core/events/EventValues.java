package dev.freshet.core.events;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.OptionalLong;

/** Reads single values of events: texts, numbers, times. */
final class EventValues {

  static final String ID_ALLOWED =
      "text that is not empty, up to " + EventReader.LONGEST_ID + " bytes, or a number";
  private static final String NUMBER_ALLOWED = "a number, or a text that is a JSON number";

  private EventValues() {}

  /** An id, or the name of a kind. */
  static String text(JsonNode root, String field) throws Refused {
    JsonNode node = root.path(field);
    if (node.isMissingNode() || node.isNull()) {
      throw new Refused(RejectReason.MISSING_FIELD, field, null, ID_ALLOWED);
    }
    if (!node.isTextual() && !node.isNumber()) {
      throw new Refused(RejectReason.WRONG_TYPE, field, node.toString(), ID_ALLOWED);
    }
    String text = text(node, field, EventReader.LONGEST_ID);
    if (text.isEmpty()) {
      throw new Refused(RejectReason.INVALID_VALUE, field, text, ID_ALLOWED);
    }
    return text;
  }

  /** The text of a text, a number, true or false; the same one for each way to write a number. */
  static String text(JsonNode node, String field, int longest) throws Refused {
    if (node.isNumber()) {
      String digits = EventJson.text(node);
      if (digits == null) {
        throw new Refused(
            RejectReason.TOO_LARGE,
            field,
            node.toString(),
            "a number of up to " + EventJson.MOST_DIGITS + " digits");
      }
      return digits;
    }
    String text = node.asText();
    if (!EventJson.isWellFormed(text)) {
      throw new Refused(
          RejectReason.INVALID_VALUE, field, text, "Unicode without halves of surrogate pairs");
    }
    if (!EventJson.fits(text, longest)) {
      throw new Refused(
          RejectReason.TOO_LARGE, field, text, "up to " + longest + " bytes of UTF-8");
    }
    return text;
  }

  static long time(JsonNode node, String field) throws Refused {
    OptionalLong time = EventTimes.of(node);
    if (time.isEmpty()) {
      throw EventTimes.isTyped(node)
          ? new Refused(RejectReason.INVALID_TIME, field, node.asText(), EventTimes.allowed(node))
          : new Refused(RejectReason.WRONG_TYPE, field, node.toString(), EventTimes.allowed(node));
    }
    // Seconds and microseconds are caught here. What is ahead of its arrival, who reads it sees.
    return time.getAsLong();
  }

  static double finite(JsonNode node, String field) throws Refused {
    if (!node.isNumber()) {
      throw new Refused(RejectReason.WRONG_TYPE, field, node.toString(), "a number");
    }
    double value = node.asDouble();
    if (!Double.isFinite(value)) {
      throw new Refused(RejectReason.INVALID_VALUE, field, node.toString(), "a finite number");
    }
    return value;
  }

  static double number(JsonNode node, String at) throws Refused {
    if (!node.isTextual()) {
      return finite(node, at);
    }
    String text = node.asText();
    if (!EventJson.isNumber(text)) {
      throw new Refused(RejectReason.WRONG_TYPE, at, node.toString(), NUMBER_ALLOWED);
    }
    double value = Double.parseDouble(text);
    if (!Double.isFinite(value)) {
      throw new Refused(RejectReason.INVALID_VALUE, at, node.toString(), "a finite number");
    }
    return value;
  }

  static boolean isAbsent(JsonNode node) {
    return node.isMissingNode() || node.isNull() || node.isTextual() && node.asText().isEmpty();
  }
}
