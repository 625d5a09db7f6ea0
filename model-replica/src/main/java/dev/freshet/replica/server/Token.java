package dev.freshet.replica.server;

import static dev.freshet.core.settings.InvalidValueException.check;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/** A bearer token. Nothing that this class says shows it. */
public final class Token {

  private static final int SHORTEST = 8;
  private static final String BEARER = "Bearer ";

  private final byte[] bytes;

  private Token(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * A token as text; blanks and line ends around it are not part of it.
   *
   * @throws IllegalArgumentException if it is shorter than 8 characters, or has other ones than a
   *     header can hold
   */
  public static Token of(String text) {
    String token = text.strip();
    check(token.length() >= SHORTEST, "token", "***", SHORTEST + " characters or more");
    check(
        token.chars().allMatch(c -> c >= ' ' && c <= '~'),
        "token",
        "***",
        "one line of printable ASCII characters");
    return new Token(token.getBytes(StandardCharsets.US_ASCII));
  }

  /** True if an Authorization header, or null, brings a token, or null. */
  static boolean isBroughtBy(@Nullable String header, @Nullable Token token) {
    return header != null
        && token != null
        && header.startsWith(BEARER)
        && token.isThatOf(header.substring(BEARER.length()));
  }

  /** True if {@code brought} is this token, in a time that does not tell how much of it was. */
  boolean isThatOf(String brought) {
    return MessageDigest.isEqual(bytes, brought.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public String toString() {
    return "***";
  }
}
