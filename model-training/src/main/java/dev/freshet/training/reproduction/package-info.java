/** The log of what was learnt, and a version learnt again from it. */
@NullMarked
package dev.freshet.training.reproduction;

import org.jspecify.annotations.NullMarked;
