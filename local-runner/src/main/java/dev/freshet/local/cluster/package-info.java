/** Submitting the job to a Flink cluster. */
package dev.freshet.local.cluster;
