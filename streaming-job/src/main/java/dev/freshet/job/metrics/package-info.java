/** Metrics of the job: the menu of all its metrics, and the one way to register one. */
@NullMarked
package dev.freshet.job.metrics;

import org.jspecify.annotations.NullMarked;
