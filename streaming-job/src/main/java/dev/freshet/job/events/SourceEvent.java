package dev.freshet.job.events;

import dev.freshet.core.events.SourcePosition;
import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * Result of parsing one message: an event, or a dead letter; the other one is null. Parsing happens
 * inside the source because per-partition watermarks need the event's time there.
 *
 * @param eventTime epoch milliseconds; {@link #NO_TIME} for a dead letter, which must not move the
 *     watermark
 * @param position of the message's partition when it has been read
 */
public record SourceEvent<T extends Serializable>(
    @Nullable T event, long eventTime, @Nullable DeadLetter rejected, SourcePosition position)
    implements Serializable {

  public static final long NO_TIME = Long.MIN_VALUE;
}
