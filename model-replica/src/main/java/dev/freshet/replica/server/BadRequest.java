package dev.freshet.replica.server;

/** What a client sent cannot be answered; its message names the field and what is allowed. */
final class BadRequest extends Exception {

  private final int status;

  BadRequest(int status, String message) {
    super(message, null, false, false);
    this.status = status;
  }

  int status() {
    return status;
  }
}
