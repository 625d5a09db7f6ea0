/**
 * Stage 1. Takes the bytes of a message; gives an {@link dev.freshet.core.events.Impression}, a
 * {@link dev.freshet.core.events.Feedback}, or the reason why it is neither. Next: labels.
 */
@NullMarked
package dev.freshet.core.events;

import org.jspecify.annotations.NullMarked;
