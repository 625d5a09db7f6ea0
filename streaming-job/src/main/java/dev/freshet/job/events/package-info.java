/**
 * Stage 1. Takes Kafka messages; gives events with watermarks, and dead letters to the side. Next:
 * labels.
 */
package dev.freshet.job.events;
