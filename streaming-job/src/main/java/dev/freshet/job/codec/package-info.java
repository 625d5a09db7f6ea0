/** Flink's view of the core's byte layouts. */
@NullMarked
package dev.freshet.job.codec;

import org.jspecify.annotations.NullMarked;
