package dev.freshet.core.events;

import dev.freshet.core.settings.EnumNames;

/** Why a message did not become an event. */
public enum RejectReason {
  EMPTY_MESSAGE,
  MALFORMED_JSON,
  /** An expression of the pipeline's `events` fails on it. */
  MAPPING,
  MISSING_FIELD,
  WRONG_TYPE,
  INVALID_TIME,
  UNKNOWN_KIND,
  INVALID_VALUE,
  /** A text, a list or a number that is larger than {@link EventReader} takes. */
  TOO_LARGE,
  /** Its time is far after the time at which it arrived. */
  AHEAD;

  /** As in metrics, headers and reports: {@code missing-field}. */
  public String label() {
    return EnumNames.of(this);
  }
}
