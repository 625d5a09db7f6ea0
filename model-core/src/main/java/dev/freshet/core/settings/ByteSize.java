package dev.freshet.core.settings;

import java.io.Serializable;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A number of bytes, written {@code 900}, {@code 512KB} or {@code 4MB}; K is 1024. */
public record ByteSize(long bytes) implements Serializable {

  private static final Pattern FORM = Pattern.compile("(\\d{1,12})\\s*(|B|KB|MB|GB)");

  public ByteSize {
    if (bytes <= 0) {
      throw new IllegalArgumentException("a size must be positive, not " + bytes);
    }
  }

  /** Parses the written form. */
  public static ByteSize parse(String text) {
    Matcher matcher = FORM.matcher(text.trim().toUpperCase(Locale.ROOT));
    if (!matcher.matches()) {
      throw new IllegalArgumentException("a size such as 900, 512KB or 4MB");
    }
    int shift =
        switch (matcher.group(2)) {
          case "KB" -> 10;
          case "MB" -> 20;
          case "GB" -> 30;
          default -> 0;
        };
    return new ByteSize(Long.parseLong(matcher.group(1)) << shift);
  }
}
