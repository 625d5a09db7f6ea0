package dev.freshet.job.events;

import dev.freshet.core.events.SourcePosition;
import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * Result of parsing a message: an event of it, or a dead letter; the other one is null. Both are
 * null for a message that was passed over, which only has a position. Parsing happens inside the
 * source because per-partition watermarks need the event's time there.
 *
 * @param eventTime epoch milliseconds; {@link #NO_TIME} for what is no event, which must not move
 *     the watermark
 * @param position of the message's partition when it has been read
 */
public record SourceEvent<T extends Serializable>(
    @Nullable T event, long eventTime, @Nullable DeadLetter rejected, SourcePosition position)
    implements Serializable {

  public static final long NO_TIME = Long.MIN_VALUE;
}
