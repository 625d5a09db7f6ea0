package dev.freshet.core.events;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Makes events that {@link EventReader} reads, for an {@link EventFormat} to write. */
public final class EventTree {

  private EventTree() {}

  /**
   * An impression without features, which are to be put under {@code features}.
   *
   * @param time epoch milliseconds
   */
  public static ObjectNode impression(String id, long time) {
    return JsonNodeFactory.instance.objectNode().put("impression_id", id).put("event_time", time);
  }

  /**
   * Feedback.
   *
   * @param kind the task's name
   * @param time epoch milliseconds
   * @param value NaN for none
   */
  public static ObjectNode feedback(
      String impression, String eventId, String kind, long time, double value) {
    ObjectNode event = impression(impression, time).put("event_id", eventId).put("kind", kind);
    return Double.isNaN(value) ? event : event.put("value", value);
  }
}
