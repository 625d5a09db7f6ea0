package dev.freshet.core.events;

import java.util.Locale;

/** Why a message did not become an event. */
public enum RejectReason {
  EMPTY_MESSAGE,
  MALFORMED_JSON,
  MISSING_FIELD,
  WRONG_TYPE,
  INVALID_TIME,
  UNKNOWN_KIND,
  INVALID_VALUE;

  /** As in metrics, headers and reports: {@code missing-field}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
