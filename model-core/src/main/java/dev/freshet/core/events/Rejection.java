package dev.freshet.core.events;

import dev.freshet.core.codec.Texts;
import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * Why and where a message was refused.
 *
 * @param field the field at fault, or "message"
 * @param value that stood there, shortened; null if nothing did
 * @param allowed values, in words
 */
public record Rejection(RejectReason reason, String field, @Nullable String value, String allowed)
    implements Serializable {

  private static final int LONGEST = 200;

  public Rejection {
    if (value != null) {
      value = Texts.cut(value, LONGEST);
    }
  }

  @Override
  public String toString() {
    return reason.label()
        + ": "
        + field
        + (value == null ? " is missing" : " is '" + value + "'")
        + "; allowed: "
        + allowed;
  }
}
