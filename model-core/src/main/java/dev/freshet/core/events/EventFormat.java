package dev.freshet.core.events;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * How an event lies in the bytes of a message. What stands in it is the same in all formats: {@link
 * EventReader} reads it, {@link EventTree} makes it.
 */
public interface EventFormat extends Serializable {

  /**
   * Reads one value, an object if it is an event.
   *
   * @param message null for a message without a body
   * @throws UnreadableMessageException if the bytes are none of this format, and nothing else
   *     whatever they are
   */
  JsonNode read(byte @Nullable [] message) throws UnreadableMessageException;

  /** The bytes from which {@link #read} makes the same event. */
  byte[] write(ObjectNode event);
}
