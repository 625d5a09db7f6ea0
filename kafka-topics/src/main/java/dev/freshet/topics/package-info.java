/**
 * Topics and rights that a pipeline asks of Kafka, made and checked. Read {@link
 * dev.freshet.topics.StartChecks} first.
 */
@NullMarked
package dev.freshet.topics;

import org.jspecify.annotations.NullMarked;
