package dev.freshet.core.events;

import java.io.Serializable;

/**
 * What feedback of one kind must look like.
 *
 * @param continuous whether it carries an amount; if not it is a yes
 * @param explicitNegatives whether value 0 may report a no
 */
public record FeedbackKind(String name, boolean continuous, boolean explicitNegatives)
    implements Serializable {}
