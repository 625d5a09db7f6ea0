/** Looks at a sample of events: what a pipeline makes of it, and what a pipeline could be. */
@NullMarked
package dev.freshet.local.sample;

import org.jspecify.annotations.NullMarked;
