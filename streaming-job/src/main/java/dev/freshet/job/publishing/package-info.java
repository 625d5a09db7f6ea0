/** Stage 5. Takes what the job made; writes it to Kafka, exactly once. */
@NullMarked
package dev.freshet.job.publishing;

import org.jspecify.annotations.NullMarked;
