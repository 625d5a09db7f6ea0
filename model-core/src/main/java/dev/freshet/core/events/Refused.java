package dev.freshet.core.events;

import org.jspecify.annotations.Nullable;

/** Carries a rejection out of nested reading; costs no stack trace and never leaves the package. */
final class Refused extends Exception {

  private static final long serialVersionUID = 1L;

  private final transient Rejection rejection;

  Refused(RejectReason reason, String field, @Nullable String value, String allowed) {
    super(null, null, false, false);
    rejection = new Rejection(reason, field, value, allowed);
  }

  Rejection rejection() {
    return rejection;
  }
}
