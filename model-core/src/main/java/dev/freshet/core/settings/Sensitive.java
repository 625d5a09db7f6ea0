package dev.freshet.core.settings;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Tells by its name or its look what may be a secret, wherever it was written by mistake, so that
 * no message repeats it. What is known to be one is marked by {@link Option#secret}.
 */
public final class Sensitive {

  /** Text that messages have in the place of a secret. */
  public static final String HIDDEN = "(not shown)";

  private static final String WORD =
      "pass(?:word|wd|phrase|code)|pwd|secret|token|credential|api[-_.]?key|private[-_.]?key"
          + "|service[-_.]?key|basic[-_.]?auth|auth[-_.]?params|user[-_.]?info|jaas[-_.]?config";

  private static final Pattern NAME = Pattern.compile("(?:" + WORD + ")", Pattern.CASE_INSENSITIVE);

  /** Ends of names that say where a secret is, or how it is to be had, and not the secret. */
  private static final Pattern ABOUT =
      Pattern.compile(
          "[-_.](?:file|paths?|location|class|type|ur[il]|name|ms|seconds|enabled?)$",
          Pattern.CASE_INSENSITIVE);

  private static final Pattern LOOK =
      Pattern.compile(
          "(?:" + WORD + ")s?[\\\\\"']*\\s*[=:]\\s*[\\\\\"']*[^\\\\\"'\\s;,}]",
          Pattern.CASE_INSENSITIVE);

  private static final Pattern KEY =
      Pattern.compile("-----BEGIN [A-Z ]*PRIVATE KEY-----", Pattern.CASE_INSENSITIVE);

  private static final Pattern LOGIN = Pattern.compile("://[^/@\\s:]*:[^/@\\s]+@");

  /** References, in whose place Kafka's config providers put something else. */
  private static final Pattern REFERENCE = Pattern.compile("\\$\\{[^}:]+:[^}]*}");

  private Sensitive() {}

  /** True if a key of this name asks for a secret, as far as a name can tell. */
  public static boolean name(String key) {
    return NAME.matcher(key).find() && !ABOUT.matcher(key).find();
  }

  /** True if a secret stands in the text, as far as its look can tell; references are none. */
  public static boolean looks(String text) {
    String written = withoutReferences(text);
    return LOOK.matcher(written).find()
        || KEY.matcher(written).find()
        || LOGIN.matcher(written).find();
  }

  /** The text without its references to secrets, such as {@code ${env:NAME}}. */
  public static String withoutReferences(String text) {
    return REFERENCE.matcher(text).replaceAll("");
  }

  /** The part that a message may show of a value that stands at a path; null stays null. */
  static @Nullable String shown(String path, @Nullable String value) {
    return value != null && (name(path) || looks(value)) ? HIDDEN : value;
  }

  /** The part that a message may show of a path, of which keys of maps are part. */
  static String shown(String path) {
    return looks(path) ? HIDDEN : path;
  }
}
