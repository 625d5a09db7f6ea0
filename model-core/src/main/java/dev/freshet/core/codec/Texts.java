package dev.freshet.core.codec;

/** Texts that came from outside, as they are told to people. */
public final class Texts {

  private Texts() {}

  /** The first {@code longest} characters of a text, never half of one, and dots if it has more. */
  public static String cut(String text, int longest) {
    if (text.length() <= longest || text.codePointCount(0, text.length()) <= longest) {
      return text;
    }
    return text.substring(0, text.offsetByCodePoints(0, longest)) + "...";
  }

  /** The same in one line: a blank for each character that steers a terminal or ends a line. */
  public static String line(String text, int longest) {
    return cut(text, longest).replaceAll("[\\p{Cntrl}\u0080-\u009F\u2028\u2029]", " ");
  }
}
