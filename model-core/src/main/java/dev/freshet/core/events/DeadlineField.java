package dev.freshet.core.events;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.settings.Option;
import java.io.Serializable;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Which field of an impression says where the window of a task ends: a time ({@code at}) or a
 * duration ({@code after}), under {@code features} or beside it.
 */
public record DeadlineField(
    @Option(
            value =
                "Field of the impression, under `features` or beside it, with the time after which"
                    + " the task's feedback counts no more, written like `event_time`; the window"
                    + " ends then, if `window` does not end it before",
            fallback = Option.ABSENT)
        @Nullable String at,
    @Option(
            value =
                "Instead of `at`: field with the window's own length, a number of `unit`s; the"
                    + " window is that long, if `window` is not shorter",
            fallback = Option.ABSENT)
        @Nullable String after,
    @Option(value = "Length of 1 of the field `after`, such as 1d", fallback = Option.ABSENT)
        @Nullable Duration unit,
    @Option(
            value =
                "How long after the field's moment feedback counts still, where it is reported later"
                    + " than it is due",
            fallback = "0ms")
        Duration grace)
    implements Serializable {

  public DeadlineField {
    check(at == null || !at.isEmpty(), "at", at, "the name of a field");
    check(after == null || !after.isEmpty(), "after", after, "the name of a field");
    check(at == null || after == null, "after", after, "nothing beside `at`: one of the two");
    check(
        after == null ? unit == null : unit != null && !unit.isZero(),
        "unit",
        unit,
        after == null ? "nothing without `after`" : "a duration above zero: what 1 of it is");
    check(
        at != null || after != null || grace.isZero(),
        "grace",
        grace,
        "nothing without `at` or `after`");
  }

  /** True if there is such a field. */
  public boolean present() {
    return at != null || after != null;
  }

  /** The field's name, or null without one. */
  public @Nullable String field() {
    return at == null ? after : at;
  }
}
