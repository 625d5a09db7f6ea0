/**
 * Topics and rights that a pipeline asks of Kafka, made and checked. Read {@link
 * dev.freshet.topics.StartChecks} first.
 */
package dev.freshet.topics;
