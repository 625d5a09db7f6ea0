package dev.freshet.core.settings;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Single values of settings as text. */
public final class TextValues {

  private TextValues() {}

  /**
   * Reads a value.
   *
   * @throws IllegalArgumentException if the text is none of that type
   * @throws java.time.format.DateTimeParseException if it is no date
   */
  static Object parse(String text, Type type) {
    if (type instanceof ParameterizedType generic) {
      if (generic.getRawType() == Map.class) {
        return new TreeMap<>();
      }
      List<Object> list = new ArrayList<>();
      for (String item : text.isBlank() ? new String[0] : text.split(",\\s*")) {
        list.add(parse(item, generic.getActualTypeArguments()[0]));
      }
      return list;
    }
    Class<?> raw = (Class<?>) type;
    if (raw == String.class) {
      return text;
    } else if (raw == int.class || raw == Integer.class) {
      return Integer.valueOf(text);
    } else if (raw == long.class) {
      return Long.valueOf(text);
    } else if (raw == double.class || raw == Double.class) {
      double number = Double.parseDouble(text);
      if (!Double.isFinite(number)) {
        throw new IllegalArgumentException("not finite");
      }
      return number;
    } else if (raw == boolean.class) {
      if (!text.equals("true") && !text.equals("false")) {
        throw new IllegalArgumentException("not a boolean");
      }
      return Boolean.valueOf(text);
    } else if (raw == Duration.class) {
      return Durations.parse(text);
    } else if (raw == ByteSize.class) {
      return ByteSize.parse(text);
    } else if (raw == LocalDate.class) {
      return LocalDate.parse(text);
    } else if (raw.isEnum()) {
      return Arrays.stream(raw.getEnumConstants())
          .filter(c -> EnumNames.of((Enum<?>) c).equals(text))
          .findAny()
          .orElseThrow(() -> new IllegalArgumentException("not a constant"));
    }
    throw new IllegalStateException("settings records cannot hold a " + type);
  }

  /** The values that a type takes, in words. */
  public static String describe(Type type) {
    if (type instanceof ParameterizedType generic) {
      Type last = generic.getActualTypeArguments()[generic.getActualTypeArguments().length - 1];
      return (generic.getRawType() == Map.class ? "a map to " : "a list of ") + describe(last);
    }
    Class<?> raw = (Class<?>) type;
    if (raw == String.class) {
      return "text";
    } else if (raw == int.class || raw == Integer.class || raw == long.class) {
      return "a whole number";
    } else if (raw == double.class || raw == Double.class) {
      return "a number";
    } else if (raw == boolean.class) {
      return "true or false";
    } else if (raw == Duration.class) {
      return "a duration such as 500ms, 15m, 12h or 3d";
    } else if (raw == ByteSize.class) {
      return "a size such as 900, 512KB or 4MB";
    } else if (raw == LocalDate.class) {
      return "a date such as 2026-01-31";
    } else if (raw.isEnum()) {
      return "one of " + String.join(", ", EnumNames.all(raw));
    }
    return "a group of keys";
  }
}
