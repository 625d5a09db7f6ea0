package dev.freshet.core.labels;

import static dev.freshet.core.settings.InvalidValueException.check;

import com.fasterxml.jackson.annotation.JsonValue;
import dev.freshet.core.events.DeadlineField;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.settings.EnumNames;
import dev.freshet.core.settings.Option;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One step of the task chain: what is learnt, from which feedback, within which window. */
public record Task(
    @Option("Name of the task; also the `kind` of its feedback events") String name,
    @Option(
            "`binary`: something happens or not; `continuous`: a regression task, whose label is an"
                + " amount")
        TaskKind kind,
    @Option(
            value =
                "The task whose events open this one's window, anywhere above it, or `impression`:"
                    + " the impression opens it; by default the one right above, and for the first"
                    + " task the impression",
            fallback = Option.ABSENT)
        @Nullable String after,
    @Option(
            "Attribution window: how long after an event of the task that it comes `after` (or"
                + " after the impression) feedback counts; its end is included")
        Duration window,
    @Option(
            "Where the impression itself says when the window ends, such as a check-out date or a"
                + " campaign's end; `window` stays the longest it can be, and is what counts where"
                + " the field is absent or says nothing of use")
        DeadlineField deadline,
    @Option(
            value =
                "Binary tasks: `implicit` means silence until the window closes is a negative;"
                    + " `explicit` means an event of value 0 reports the negative, and the first"
                    + " event makes the label final",
            fallback = "implicit")
        Negatives negatives,
    @Option(
            value = "Continuous tasks: how several events become one label; refunds are negative",
            fallback = "sum")
        Aggregate aggregate,
    @Option(
            value =
                "Continuous tasks: the scale in which the model learns; `none` and `log1p` measure a"
                    + " label by the running typical amount, `deviation` by the running deviation,"
                    + " `zscore` from the running mean by the deviation",
            fallback = "zscore")
        Transform transform,
    @Option("Continuous tasks: what a label may plausibly be") AmountRange range,
    @Option(value = "Weight of the task's loss beside the others'", fallback = "1.0")
        double lossWeight,
    @Option(
            value =
                "Delay correction: how this task learns before its label is final; by default the"
                    + " pipeline's, or"
                    + " `wait` for a task that cannot be treated so",
            fallback = Option.ABSENT)
        @Nullable DelayCorrections correction,
    @Option(
            value = "How long this task's correction waits; by default as long as the pipeline's",
            fallback = Option.ABSENT)
        @Nullable Duration waiting)
    implements Serializable {

  /** What tasks may be called. */
  public static final String NAME = "[a-z][a-z0-9_-]{0,62}";

  /** Value of {@code after} where the impression opens the window; no task has this name. */
  public static final String IMPRESSION = "impression";

  /** Name that dead letters have for an example that was not learnt; no task has this name. */
  public static final String EXAMPLE = "example";

  /** How a negative becomes known. */
  public enum Negatives {
    IMPLICIT,
    EXPLICIT
  }

  /** How several events of a continuous task become one label. */
  public enum Aggregate {
    SUM,
    LAST,
    MAX
  }

  /** Scale of a continuous label inside the model. */
  public enum Transform {
    NONE,
    LOG1P,
    ZSCORE,
    DEVIATION;

    /** As in pipeline files and manifests. */
    @JsonValue
    public String label() {
      return EnumNames.of(this);
    }
  }

  public Task {
    check(name.matches(NAME), "name", name, "lower-case letters, digits, _ and -");
    check(!window.isZero(), "window", "0", "a duration above zero");
    check(
        correction == null || correction.suits(kind),
        "correction",
        correction == null ? null : EnumNames.of(correction),
        kind == TaskKind.BINARY
            ? "anything but revise, for a binary task"
            : "wait, settled, window or revise, for a continuous task");
    check(
        correction == null || !correction.needsReports() || negatives == Negatives.EXPLICIT,
        "correction",
        correction == null ? null : EnumNames.of(correction),
        "hazard only with `negatives: explicit`");
    check(lossWeight >= 0, "loss-weight", lossWeight, "0 or more");
    check(
        kind == TaskKind.BINARY || negatives == Negatives.IMPLICIT,
        "negatives",
        "explicit",
        "implicit, for a continuous task");
  }

  /** The same task with what the pipeline says where the task itself says nothing. */
  public Task resolved(LabelSettings labels) {
    DelayCorrections general = labels.correction();
    DelayCorrections suited =
        general.suits(kind) && (explicit() || !general.needsReports())
            ? general
            : DelayCorrections.WAIT;
    return new Task(
        name,
        kind,
        after,
        window,
        deadline,
        negatives,
        aggregate,
        transform,
        range,
        lossWeight,
        correction == null ? suited : correction,
        waiting == null ? labels.waiting() : waiting);
  }

  /** A binary task of the same name and times, to estimate something about this one by. */
  public Task asBinary() {
    return new Task(
        name,
        TaskKind.BINARY,
        after,
        window,
        deadline,
        Negatives.IMPLICIT,
        aggregate,
        transform,
        range,
        lossWeight,
        null,
        waiting);
  }

  public boolean binary() {
    return kind == TaskKind.BINARY;
  }

  public boolean explicit() {
    return negatives == Negatives.EXPLICIT;
  }

  /**
   * How long an impression waits for the last of its labels at most, the longest chain of windows:
   * a deadline of its own only ever shortens it.
   */
  public static Duration horizon(List<Task> tasks) {
    long longest = 0;
    long[] horizons = new long[tasks.size()];
    for (int i = 0; i < tasks.size(); i++) {
      int parent = parent(tasks, i);
      horizons[i] = (parent < 0 ? 0 : horizons[parent]) + tasks.get(i).windowMillis();
      longest = Math.max(longest, horizons[i]);
    }
    return Duration.ofMillis(longest);
  }

  /** Index of the task that {@code tasks.get(index)} comes after, or -1 for the impression. */
  public static int parent(List<Task> tasks, int index) {
    String after = tasks.get(index).after();
    if (IMPRESSION.equals(after)) {
      return -1;
    }
    for (int i = 0; i < index; i++) {
      if (tasks.get(i).name().equals(after)) {
        return i;
      }
    }
    return index - 1;
  }

  /** The window in milliseconds. */
  public long windowMillis() {
    return window.toMillis();
  }
}
