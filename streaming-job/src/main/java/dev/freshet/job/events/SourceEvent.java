package dev.freshet.job.events;

import java.io.Serializable;

/**
 * What a source makes of one message: an event, or a dead letter; the other one is null. Parsing
 * happens inside the source because per-partition watermarks need the event's time there.
 *
 * @param eventTime epoch milliseconds; {@link #NO_TIME} for a dead letter, which must not move the
 *     watermark
 */
public record SourceEvent<T extends Serializable>(T event, long eventTime, DeadLetter rejected)
    implements Serializable {

  public static final long NO_TIME = Long.MIN_VALUE;
}
