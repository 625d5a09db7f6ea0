/**
 * Stage 7. Takes a trainer between two steps; gives the messages of a version, once the gate lets
 * it pass. Next: {@link dev.freshet.core.snapshot}, by which the replica puts them together again.
 */
@NullMarked
package dev.freshet.training.publishing;

import org.jspecify.annotations.NullMarked;
