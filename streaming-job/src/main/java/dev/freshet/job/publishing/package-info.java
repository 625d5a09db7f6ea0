/** Stage 5. Takes what the job made; writes it to Kafka, exactly once. */
package dev.freshet.job.publishing;
