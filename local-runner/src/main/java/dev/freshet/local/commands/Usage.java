package dev.freshet.local.commands;

/** What the user asked for cannot be done: one clear line, exit code 2. */
final class Usage extends RuntimeException {
  Usage(String message) {
    super(message);
  }
}
