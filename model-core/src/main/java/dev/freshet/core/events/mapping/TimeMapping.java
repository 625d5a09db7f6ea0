package dev.freshet.core.events.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.LongNode;
import dev.freshet.core.settings.EnumNames;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.TemporalAccessor;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Makes epoch milliseconds of times that are written in another way.
 *
 * @param unit of numbers
 * @param zone of texts that name none; null if they have to
 * @param pattern of texts; null for ISO-8601, also with a blank for the T
 */
record TimeMapping(TimeUnits unit, @Nullable ZoneId zone, @Nullable DateTimeFormatter pattern) {

  private static final Pattern NUMBER = Pattern.compile("-?\\d{1,18}(\\.\\d{1,18})?");
  private static final int MOST_DIGITS = 40;

  /** The time, or the value as it is where it is none: who reads it says what is wrong. */
  JsonNode millis(JsonNode value) {
    try {
      if (value.isNumber() && pattern == null) {
        return number(value);
      }
      if (!value.isTextual() && !value.isIntegralNumber()) {
        return value;
      }
      String text = value.asText().strip();
      if (pattern != null) {
        return of(pattern, text);
      }
      if (NUMBER.matcher(text).matches()) {
        return millis(new BigDecimal(text));
      }
      return of(DateTimeFormatter.ISO_DATE_TIME, text.replaceFirst(" +", "T"));
    } catch (DateTimeException | ArithmeticException e) {
      return value;
    }
  }

  private JsonNode number(JsonNode value) {
    if (!Double.isFinite(value.asDouble())) {
      return value;
    }
    BigDecimal number = value.decimalValue();
    boolean plain =
        number.precision() <= MOST_DIGITS && Math.abs((long) number.scale()) <= MOST_DIGITS;
    return plain ? millis(number) : value;
  }

  private JsonNode millis(BigDecimal number) {
    return new LongNode(unit.millis(number).setScale(0, RoundingMode.FLOOR).longValueExact());
  }

  /** What lacks a zone where none is given is no time. */
  private JsonNode of(DateTimeFormatter format, String text) {
    boolean date = pattern == null && text.indexOf('T') < 0;
    TemporalAccessor parsed =
        (date ? DateTimeFormatter.ISO_LOCAL_DATE : format)
            .parseBest(
                text, ZonedDateTime::from, Instant::from, LocalDateTime::from, LocalDate::from);
    return new LongNode(instant(parsed).toEpochMilli());
  }

  private Instant instant(TemporalAccessor parsed) {
    if (parsed instanceof ZonedDateTime zoned) {
      return zoned.toInstant();
    }
    if (parsed instanceof Instant instant) {
      return instant;
    }
    if (zone == null) {
      throw new DateTimeException("no zone");
    }
    return parsed instanceof LocalDateTime local
        ? local.atZone(zone).toInstant()
        : LocalDate.from(parsed).atStartOfDay(zone).toInstant();
  }

  /** What it reads, in words. */
  String allowed() {
    String missing = zone == null ? ", with a zone, which `time-zone` names where it has none" : "";
    return pattern != null
        ? "what fits `time-pattern`" + missing
        : "a time from 2000 to 2099: a number of "
            + EnumNames.of(unit)
            + " since 1970, or ISO-8601"
            + missing;
  }

  /** The zone of a text. */
  static ZoneId zone(String text) {
    return text.equals("Z") ? ZoneOffset.UTC : ZoneId.of(text);
  }
}
