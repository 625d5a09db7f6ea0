/**
 * What a version of a model is made of: manifest, tensors, the messages that carry them, and how a
 * network takes them over.
 */
@NullMarked
package dev.freshet.core.snapshot;

import org.jspecify.annotations.NullMarked;
