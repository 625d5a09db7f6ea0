package dev.freshet.core.events;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads times of messages: milliseconds since 1970, or ISO-8601 with a zone, of this century.
 * Milliseconds may be quoted, as exports of 64-bit numbers are, and may have a fraction, which is
 * dropped.
 */
final class EventTimes {

  private static final String FORMS =
      "epoch milliseconds or ISO-8601 with a zone, from 2000 to 2099";
  private static final long EARLIEST = Instant.parse("2000-01-01T00:00:00Z").toEpochMilli();
  private static final long LATEST = Instant.parse("2100-01-01T00:00:00Z").toEpochMilli();

  /** Between any two times: adding to one must not run over. */
  static final double LONGEST_SPAN = LATEST - EARLIEST;

  private static final double MOST = 1e18;
  private static final Pattern DIGITS = Pattern.compile("(-?\\d{1,18})(\\.\\d+)?");

  private EventTimes() {}

  /** True if it could be a time by its type. */
  static boolean isTyped(JsonNode node) {
    return node.isNumber() || node.isTextual();
  }

  /** Epoch milliseconds; empty if it is no time, or one outside of this century. */
  static OptionalLong of(JsonNode node) {
    OptionalLong time = number(node);
    if (time.isEmpty() && node.isTextual()) {
      try {
        time = OptionalLong.of(Instant.parse(node.asText()).toEpochMilli());
      } catch (DateTimeException | ArithmeticException e) {
        return OptionalLong.empty();
      }
    }
    return time.isPresent() && isOfThisCentury(time.getAsLong()) ? time : OptionalLong.empty();
  }

  private static OptionalLong number(JsonNode node) {
    if (node.isIntegralNumber() && node.canConvertToLong()) {
      return OptionalLong.of(node.asLong());
    }
    if (node.isNumber() && Math.abs(node.asDouble()) < MOST) {
      return OptionalLong.of((long) Math.floor(node.asDouble()));
    }
    Matcher quoted = DIGITS.matcher(node.asText());
    return node.isTextual() && quoted.matches()
        ? OptionalLong.of(Long.parseLong(quoted.group(1)))
        : OptionalLong.empty();
  }

  private static boolean isOfThisCentury(long time) {
    return time >= EARLIEST && time < LATEST;
  }

  /** Words on what is allowed, and what may have been meant by something that is not. */
  static String allowed(JsonNode node) {
    OptionalLong number = number(node);
    if (number.isPresent()) {
      for (TimeUnit unit :
          new TimeUnit[] {TimeUnit.SECONDS, TimeUnit.MICROSECONDS, TimeUnit.NANOSECONDS}) {
        long millis = unit.toMillis(number.getAsLong());
        if (isOfThisCentury(millis)) {
          return FORMS
              + "; as "
              + unit.name().toLowerCase(Locale.ROOT)
              + " it would be "
              + Instant.ofEpochMilli(millis);
        }
      }
      return FORMS;
    }
    return node.isTextual() && isWithoutZone(node.asText())
        ? FORMS + "; this one has no zone, such as Z or +01:00"
        : FORMS;
  }

  private static boolean isWithoutZone(String text) {
    String iso = text.trim().replaceFirst(" +", "T");
    try {
      return (iso.contains("T") ? LocalDateTime.parse(iso) : LocalDate.parse(iso)) != null;
    } catch (DateTimeException e) {
      return false;
    }
  }
}
