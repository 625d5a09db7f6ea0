package dev.freshet.core.labels;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.settings.Option;
import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * Range of a regression task's plausible labels. A label beyond it is learnt and scored as the
 * nearest end, and counted; the label itself, on the examples topic, stays what it is.
 */
public record AmountRange(
    @Option(
            value =
                "Continuous tasks: the smallest plausible label; a smaller one is learnt as this,"
                    + " and counted. By default learnt from the labels seen",
            fallback = Option.ABSENT)
        @Nullable Double from,
    @Option(
            value =
                "Continuous tasks: the largest plausible label; a larger one is learnt as this, and"
                    + " counted. By default learnt from the labels seen",
            fallback = Option.ABSENT)
        @Nullable Double to,
    @Option(
            value =
                "Continuous tasks: how many of the newest labels other than 0 the learnt range, the"
                    + " scale and the mean of predictions rest on; older ones are forgotten",
            fallback = "1000")
        int memory)
    implements Serializable {

  /** No label counts for more than this, whatever the settings: beyond it sums lose their cents. */
  public static final double LARGEST = 1e15;

  /** All of it learnt from what is seen. */
  public static final AmountRange LEARNT = new AmountRange(null, null, 1000);

  public AmountRange {
    check(from == null || Math.abs(from) <= LARGEST, "from", from, "-1e15 to 1e15");
    check(to == null || Math.abs(to) <= LARGEST, "to", to, "-1e15 to 1e15");
    check(
        from == null || to == null || from < to,
        "to",
        to,
        "a number above `from`, which is " + from);
    check(to == null || from != null || to > 0, "to", to, "above 0, or give `from` too");
    check(from == null || to != null || from <= 0, "from", from, "0 or less, or give `to` too");
    check(memory >= 32 && memory <= 100_000, "memory", memory, "32 to 100000");
  }
}
