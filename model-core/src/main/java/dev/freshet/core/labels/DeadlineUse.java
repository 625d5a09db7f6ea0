package dev.freshet.core.labels;

import dev.freshet.core.codec.Texts;
import dev.freshet.core.events.Deadline;
import dev.freshet.core.events.Impression;
import dev.freshet.core.settings.EnumNames;
import java.time.Duration;
import java.time.Instant;

/** Uses of the deadline that an impression has for a task. */
public enum DeadlineUse {
  /** The task's window ends then. */
  USED,
  /** It is later than the task's {@code window} can end, which counts. */
  BEYOND,
  /** The field is not there: {@code window} counts. */
  ABSENT,
  /** A value that is no time, or no number: {@code window} counts. */
  INVALID,
  /**
   * It is not after the impression, so that no feedback could ever count: {@code window} counts, so
   * that a wrong field makes labels late and not wrong.
   */
  PAST;

  private static final int LONGEST_ID = 64;

  /** As in metrics and reports. */
  public String label() {
    return EnumNames.of(this);
  }

  /** True if the window ends when the impression says, or before. */
  public boolean good() {
    return this == USED || this == BEYOND;
  }

  /**
   * Which impression it was and what it says, in words.
   *
   * @param said its deadline for the task
   */
  public String sample(Task task, Impression impression, Deadline said) {
    return "impression "
        + Texts.line(impression.id(), LONGEST_ID)
        + " of "
        + Instant.ofEpochMilli(impression.eventTime())
        + ": "
        + said(task, said);
  }

  private String said(Task task, Deadline said) {
    String field = task.deadline().field();
    String value =
        said.kind() == Deadline.Kind.AT
            ? Instant.ofEpochMilli(said.millis()).toString()
            : Duration.ofMillis(said.millis()).toString();
    return switch (this) {
      case ABSENT -> "it has no " + field;
      case INVALID -> Texts.line(said.refused(), Integer.MAX_VALUE);
      case PAST -> field + " is " + value + ", which is not after it";
      case BEYOND -> field + " is " + value + ", beyond the window of " + task.window();
      case USED -> field + " is " + value;
    };
  }
}
