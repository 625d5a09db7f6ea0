package dev.freshet.core.events;

import java.io.Serializable;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Something was shown. The left side of the label join.
 *
 * @param id the key that all feedback on it names
 * @param eventTime epoch milliseconds
 * @param served null where nothing was scored
 * @param deadlines its own ends of each task's window, in the tasks' order; empty where no task
 *     asks
 */
public record Impression(
    String id, long eventTime, Features features, @Nullable Served served, List<Deadline> deadlines)
    implements Serializable {

  public Impression {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(features, "features");
    deadlines = List.copyOf(deadlines);
  }

  /** An impression without deadlines of its own. */
  public Impression(String id, long eventTime, Features features, @Nullable Served served) {
    this(id, eventTime, features, served, List.of());
  }

  /** Its own end of a task's window. */
  public Deadline deadline(int task) {
    return task < deadlines.size() ? deadlines.get(task) : Deadline.ABSENT;
  }

  /** The same under another id. */
  public Impression withId(String other) {
    return new Impression(other, eventTime, features, served, deadlines);
  }

  /** The same with its features in another form. */
  public Impression withFeatures(Features other) {
    return new Impression(id, eventTime, other, served, deadlines);
  }

  /** The same with other deadlines. */
  public Impression withDeadlines(List<Deadline> others) {
    return new Impression(id, eventTime, features, served, others);
  }

  /** The same so many milliseconds later; a deadline that is a time moves along. */
  public Impression later(long millis) {
    List<Deadline> moved = deadlines.stream().map(deadline -> deadline.later(millis)).toList();
    return new Impression(id, eventTime + millis, features, served, moved);
  }
}
