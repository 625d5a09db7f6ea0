/** A real Kafka broker in a child process, and its topics. */
package dev.freshet.local.broker;
