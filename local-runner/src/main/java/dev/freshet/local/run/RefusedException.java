package dev.freshet.local.run;

/** What was asked for cannot be done as things are; the message says why and what can. */
public final class RefusedException extends RuntimeException {
  RefusedException(String message) {
    super(message);
  }
}
