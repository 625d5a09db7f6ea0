package dev.freshet.core.features;

import java.time.ZonedDateTime;

/** A part of a moment, as clocks and calendars of a zone show it. */
public enum TimePart {
  /** 0 to 23. */
  HOUR,
  /** 1, Monday, to 7. */
  WEEKDAY,
  /** Of the month, 1 to 31. */
  DAY,
  /** 1 to 12. */
  MONTH;

  int of(ZonedDateTime time) {
    return switch (this) {
      case HOUR -> time.getHour();
      case WEEKDAY -> time.getDayOfWeek().getValue();
      case DAY -> time.getDayOfMonth();
      case MONTH -> time.getMonthValue();
    };
  }
}
