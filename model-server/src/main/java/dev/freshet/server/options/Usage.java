package dev.freshet.server.options;

/** The user's request cannot be done: one clear line, exit code 2. */
public final class Usage extends RuntimeException {
  public Usage(String message) {
    super(message);
  }
}
