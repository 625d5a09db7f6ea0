package dev.freshet.core.settings;

import dev.freshet.core.settings.Problems.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Thrown by a settings record's constructor: which of its keys is wrong and what is allowed. While
 * a {@link RecordBinder} fills a record from a file, {@link #check} only notes what is wrong, so
 * that one reading tells everything.
 */
public final class InvalidValueException extends IllegalArgumentException {

  private static final ThreadLocal<Gathering> GATHERING = new ThreadLocal<>();

  private final String key;
  private final @Nullable String value;
  private final String allowed;

  /**
   * @param value as it is written; null for nothing
   */
  public InvalidValueException(String key, @Nullable Object value, String allowed) {
    super(new Problem(key, text(value), allowed).toString());
    this.key = key;
    this.value = text(value);
    this.allowed = allowed;
  }

  private static @Nullable String text(@Nullable Object value) {
    return Objects.toString(value, null);
  }

  /**
   * Throws unless {@code valid}, or notes it for the binder that is at work.
   *
   * @param value as it is written; null for nothing
   */
  public static void check(boolean valid, String key, @Nullable Object value, String allowed) {
    if (valid) {
      return;
    }
    Gathering gathering = GATHERING.get();
    if (gathering == null) {
      throw new InvalidValueException(key, value, allowed);
    }
    gathering.note(key, text(value), allowed);
  }

  /** Makes something of a part of a record: what is wrong with it is wrong at {@code path}. */
  public static <T extends @Nullable Object> T within(String path, Supplier<T> part) {
    Gathering gathering = GATHERING.get();
    String outer = gathering == null ? "" : gathering.prefix;
    try {
      if (gathering != null) {
        gathering.prefix = outer + path + ".";
      }
      return part.get();
    } catch (InvalidValueException e) {
      throw new InvalidValueException(path + "." + e.key, e.value, e.allowed);
    } finally {
      if (gathering != null) {
        gathering.prefix = outer;
      }
    }
  }

  /** Makes something of parts that were checked: what is wrong with them was noted before. */
  public static <T> T ofChecked(Supplier<T> made) {
    if (GATHERING.get() == null) {
      return made.get();
    }
    try (Gathering again = gather()) {
      return made.get();
    }
  }

  /** Starts to note instead of throwing, on this thread, until it is closed. */
  static Gathering gather() {
    return new Gathering();
  }

  /** Faults found since it was opened. */
  static final class Gathering implements AutoCloseable {
    private final @Nullable Gathering before = GATHERING.get();
    private final List<Problem> found = new ArrayList<>();
    private String prefix = "";

    private Gathering() {
      GATHERING.set(this);
    }

    private void note(String key, @Nullable String value, String allowed) {
      found.add(new Problem(prefix + key, value, allowed));
    }

    List<Problem> found() {
      return found;
    }

    @Override
    public void close() {
      if (before == null) {
        GATHERING.remove();
      } else {
        GATHERING.set(before);
      }
    }
  }

  public String key() {
    return key;
  }

  /** The value as it is written; null for nothing. */
  public @Nullable String value() {
    return value;
  }

  public String allowed() {
    return allowed;
  }
}
