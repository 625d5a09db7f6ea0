/** Flink's view of the core's byte layouts. */
package dev.freshet.job.codec;
