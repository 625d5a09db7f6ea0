package dev.freshet.core.settings;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Says what a parser found in words of who wrote the text: its own names and switches help nobody
 * who cannot set them.
 */
public final class PlainFault {

  private static final Map<Pattern, String> WORDS = new LinkedHashMap<>();

  static {
    say("Duplicate field '(.*?)'.*", "the name $1 twice in one object");
    say("Trailing token .*", "something behind its end");
    say("Unexpected end-of-input.*", "it ends in the middle");
    say("No content to map.*", "nothing");
    say(
        "Number value length \\((\\d+)\\) exceeds the maximum allowed \\((\\d+).*",
        "a number of $1 characters, of $2 at most");
    say(
        "Document nesting depth \\((\\d+)\\) exceeds the maximum allowed \\((\\d+).*",
        "$1 levels of objects and lists, of $2 at most");
    say(
        "(String value|Name) length \\((\\d+)\\) exceeds the maximum allowed \\((\\d+).*",
        "a text of $2 characters, of $3 at most");
    say("Non-standard token '(.*?)'.*", "the word $1");
    say("Unrecognized token '(.*?)'.*", "the word $1");
    say("Illegal unquoted character.*", "a control character in a text, unescaped");
    say("Unrecognized character escape '?(.*?)'? ?\\(code.*", "an escape that JSON has not");
    say("Unexpected character \\('(.*?)' \\(code \\d+.*", "an unexpected '$1'");
  }

  private PlainFault() {}

  private static void say(String pattern, String words) {
    WORDS.put(Pattern.compile(pattern, Pattern.DOTALL), words);
  }

  /** The fault, in one line. */
  public static String of(JsonProcessingException fault) {
    String said = fault.getOriginalMessage();
    for (Map.Entry<Pattern, String> words : WORDS.entrySet()) {
      Matcher matcher = words.getKey().matcher(said);
      if (matcher.matches()) {
        return matcher.replaceFirst(words.getValue());
      }
    }
    // What else there is says what is wrong first, and then how to let it pass.
    String first = said.lines().findFirst().orElse("");
    return first.replaceAll("[:;]? ?[^:;(]*`.*", "").replaceAll("\\s*\\(.*", "");
  }
}
