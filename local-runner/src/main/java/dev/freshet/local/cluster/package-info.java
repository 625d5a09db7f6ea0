/** Submitting the job to a Flink cluster. */
@NullMarked
package dev.freshet.local.cluster;

import org.jspecify.annotations.NullMarked;
