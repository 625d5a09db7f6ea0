package dev.freshet.core.events;

import java.io.Serializable;

/**
 * Rules for feedback of one kind.
 *
 * @param continuous true if it carries an amount; if not it is a positive
 * @param explicitNegatives true if value 0 may report a negative
 */
public record FeedbackKind(String name, boolean continuous, boolean explicitNegatives)
    implements Serializable {}
