package dev.freshet.replica.server;

/** Why a request gets no answer but an error: its status, and what a client can do about it. */
final class Refused extends Exception {

  static final int BAD_REQUEST = 400;
  static final int UNAUTHORIZED = 401;
  static final int NOT_FOUND = 404;
  static final int NOT_ALLOWED = 405;
  static final int TOO_SLOW = 408;
  static final int CONFLICT = 409;
  static final int TOO_LARGE = 413;
  static final int UNSUPPORTED = 415;
  static final int ERROR = 500;
  static final int UNAVAILABLE = 503;

  private final int status;

  Refused(int status, String message) {
    super(message, null, false, false);
    this.status = status;
  }

  int status() {
    return status;
  }
}
