package dev.freshet.core.labels;

import java.io.Serializable;

/**
 * An event that the join left out.
 *
 * @param task index of the task, or -1 for an impression
 * @param eventId id of the feedback event, or the impression's own id
 */
public record DroppedEvent(
    DropReason reason, String impressionId, String eventId, int task, long eventTime, double value)
    implements Serializable {}
