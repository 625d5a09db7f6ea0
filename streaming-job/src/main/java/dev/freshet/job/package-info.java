/**
 * The Flink job. Read {@link dev.freshet.job.StreamingJob}, then {@link dev.freshet.job.JobGraph}.
 */
package dev.freshet.job;
