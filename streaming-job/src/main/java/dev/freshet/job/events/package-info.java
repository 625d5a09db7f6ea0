/**
 * Stage 1. Takes Kafka messages; gives events with watermarks, and dead letters to the side. Next:
 * labels.
 */
@NullMarked
package dev.freshet.job.events;

import org.jspecify.annotations.NullMarked;
