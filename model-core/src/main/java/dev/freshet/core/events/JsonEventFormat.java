package dev.freshet.core.events;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/** Events as JSON objects in UTF-8, as strict as {@link EventJson} is. */
final class JsonEventFormat implements EventFormat {

  private static final long serialVersionUID = 1L;

  private static final ObjectMapper JSON = new ObjectMapper();

  @Override
  public JsonNode read(byte @Nullable [] message) throws UnreadableMessageException {
    if (message == null || message.length == 0) {
      throw new UnreadableMessageException(
          new Rejection(RejectReason.EMPTY_MESSAGE, "message", "", "a JSON object"));
    }
    try {
      return EventJson.read(message);
    } catch (JsonProcessingException e) {
      throw new UnreadableMessageException(
          new Rejection(
              RejectReason.MALFORMED_JSON, "message", e.getOriginalMessage(), "one JSON object"));
    }
  }

  @Override
  public byte[] write(ObjectNode event) {
    try {
      return JSON.writeValueAsBytes(event);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree is plain data", e);
    }
  }
}
