package dev.freshet.core.events;

import java.io.Serializable;

/**
 * One impression's own end of one task's window.
 *
 * @param millis of {@link Kind#AT} the time, epoch milliseconds; of {@link Kind#AFTER} the length,
 *     which may be negative; else 0
 * @param refused of {@link Kind#INVALID} what stands there and what could have; else empty
 */
public record Deadline(Kind kind, long millis, String refused) implements Serializable {

  /** Kinds of values. */
  public enum Kind {
    /** The field is not there. */
    ABSENT,
    /** A value that is no time, or no number. */
    INVALID,
    /** A time. */
    AT,
    /** A length. */
    AFTER
  }

  /** Nothing is said. */
  public static final Deadline ABSENT = new Deadline(Kind.ABSENT, 0, "");

  /** A window that ends at a time, epoch milliseconds. */
  public static Deadline at(long time) {
    return new Deadline(Kind.AT, time, "");
  }

  /** A window of so many milliseconds. */
  public static Deadline after(long millis) {
    return new Deadline(Kind.AFTER, millis, "");
  }

  /** A field that says something else. */
  public static Deadline invalid(String refused) {
    return new Deadline(Kind.INVALID, 0, refused);
  }

  /** The same where everything happens so much later. */
  public Deadline later(long millisLater) {
    return kind == Kind.AT ? at(millis + millisLater) : this;
  }
}
