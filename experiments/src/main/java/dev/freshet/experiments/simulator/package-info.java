/** A shop whose truth is known. */
@NullMarked
package dev.freshet.experiments.simulator;

import org.jspecify.annotations.NullMarked;
