/**
 * Versions of a model: manifest, tensors, the messages that carry them, and how a network takes
 * them over.
 */
@NullMarked
package dev.freshet.core.snapshot;

import org.jspecify.annotations.NullMarked;
