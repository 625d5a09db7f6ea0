package dev.freshet.local.run;

/** A request cannot be done as things are; the message says why and what can. */
public final class RefusedException extends RuntimeException {
  RefusedException(String message) {
    super(message);
  }
}
