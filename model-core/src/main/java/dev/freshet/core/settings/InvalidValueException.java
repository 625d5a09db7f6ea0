package dev.freshet.core.settings;

/** Thrown by a settings record's constructor: which of its keys is wrong and what is allowed. */
public final class InvalidValueException extends IllegalArgumentException {

  private final String key;
  private final String value;
  private final String allowed;

  public InvalidValueException(String key, Object value, String allowed) {
    super(key + ": '" + value + "'; allowed: " + allowed);
    this.key = key;
    this.value = String.valueOf(value);
    this.allowed = allowed;
  }

  /** Throws unless {@code valid}. */
  public static void check(boolean valid, String key, Object value, String allowed) {
    if (!valid) {
      throw new InvalidValueException(key, value, allowed);
    }
  }

  public String key() {
    return key;
  }

  public String value() {
    return value;
  }

  public String allowed() {
    return allowed;
  }
}
