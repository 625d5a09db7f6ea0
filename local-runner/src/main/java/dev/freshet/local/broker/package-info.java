/** A real Kafka broker in a child process, and its topics. */
@NullMarked
package dev.freshet.local.broker;

import org.jspecify.annotations.NullMarked;
