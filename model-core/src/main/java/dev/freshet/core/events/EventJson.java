package dev.freshet.core.events;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.freshet.core.settings.PlainFault;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How the JSON of events is read, by the job and by servers alike: UTF-8 without a byte order mark,
 * one value and nothing behind it, no name twice in an object, numbers as they were written.
 * Whatever is no such JSON, or beyond a limit, is a {@link JsonProcessingException} and never
 * anything else, with a message in plain words.
 */
public final class EventJson {

  /** Deepest nesting of objects and lists. */
  public static final int DEEPEST = 100;

  /** Most characters of a number. */
  public static final int LONGEST_NUMBER = 1000;

  /** Most digits, before and behind the point, of a number that stands for a text. */
  public static final int MOST_DIGITS = 64;

  private static final Pattern NUMBER =
      Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");

  private static final char REPLACEMENT = '\uFFFD';

  private static final ObjectReader READER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(DEEPEST)
                          .maxNumberLength(LONGEST_NUMBER)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build()
          .readerFor(JsonNode.class);

  private EventJson() {}

  /** True if a text is a JSON number, as it would stand there without quotes. */
  public static boolean isNumber(String text) {
    return text.length() <= LONGEST_NUMBER && NUMBER.matcher(text).matches();
  }

  /**
   * Reads one JSON value.
   *
   * @throws JsonProcessingException if this is none
   */
  public static JsonNode read(byte[] json) throws JsonProcessingException {
    String text = new String(json, StandardCharsets.UTF_8);
    // Decoding puts this character where bytes are no UTF-8, but a text may also hold it itself.
    if (text.indexOf(REPLACEMENT) >= 0 && !isUtf8(json)) {
      throw new JsonParseException(null, "the bytes are not UTF-8");
    }
    try {
      return READER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new JsonParseException(null, PlainFault.of(e), e);
    } catch (RuntimeException e) {
      // Some numbers and names fail deep inside the parser: that is the message's fault.
      throw new JsonParseException(null, "a number or a name that cannot be read", e);
    }
  }

  private static boolean isUtf8(byte[] bytes) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  /**
   * The text that a number stands for where a text is wanted: plain digits, without a point if it
   * is whole, whatever way it was written. 7, 7.0 and 70e-1 are all {@code 7}.
   *
   * @return null if that has more than {@link #MOST_DIGITS} digits, or is no finite number
   */
  static @Nullable String text(JsonNode number) {
    if (number.isInt() || number.isLong()) {
      return number.asText();
    }
    if (number.isFloatingPointNumber()
        && !number.isBigDecimal()
        && !Double.isFinite(number.asDouble())) {
      return null;
    }
    BigDecimal value = number.decimalValue();
    if (value.signum() == 0) {
      return "0";
    }
    long whole = (long) value.precision() - value.scale();
    if (value.precision() > MOST_DIGITS
        || Math.abs((long) value.scale()) > MOST_DIGITS
        || whole > MOST_DIGITS) {
      return null;
    }
    return value.stripTrailingZeros().toPlainString();
  }

  /**
   * True if a text is whole in Unicode: no half of a surrogate pair alone, which UTF-8 cannot hold.
   */
  static boolean isWellFormed(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isSurrogate(c)) {
        boolean pair =
            Character.isHighSurrogate(c)
                && i + 1 < text.length()
                && Character.isLowSurrogate(text.charAt(i + 1));
        if (!pair) {
          return false;
        }
        i++;
      }
    }
    return true;
  }

  /** True if a text takes at most so many bytes of UTF-8. */
  static boolean fits(String text, int bytes) {
    return text.length() * 3L <= bytes || text.getBytes(StandardCharsets.UTF_8).length <= bytes;
  }
}
