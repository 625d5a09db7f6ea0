package dev.freshet.topics;

/**
 * No broker of a pipeline can be reached, or they do not let this client in. The message says in
 * one sentence where and why, and shows no value of {@code kafka.properties}.
 */
public final class NoBrokerException extends RuntimeException {

  NoBrokerException(String message) {
    super(message);
  }
}
