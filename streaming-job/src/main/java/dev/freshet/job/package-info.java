/**
 * The Flink job. Read {@link dev.freshet.job.StreamingJob}, then {@link dev.freshet.job.JobGraph}.
 */
@NullMarked
package dev.freshet.job;

import org.jspecify.annotations.NullMarked;
