package dev.freshet.server.options;

/** What the user asked for cannot be done: one clear line, exit code 2. */
public final class Usage extends RuntimeException {
  public Usage(String message) {
    super(message);
  }
}
