package dev.freshet.core.labels;

import dev.freshet.core.events.Deadline;
import dev.freshet.core.events.Impression;
import java.util.List;

/**
 * The window of one task for one impression.
 *
 * @param length how long it is at most, milliseconds
 * @param end when it ends at the latest, epoch milliseconds, or {@link #OPEN}
 * @param use of the impression's own deadline
 */
public record TaskWindow(long length, long end, DeadlineUse use) {

  /** No end of its own. */
  static final long OPEN = Long.MAX_VALUE;

  /** The windows of all tasks. */
  public static TaskWindow[] of(List<Task> tasks, Impression impression) {
    TaskWindow[] windows = new TaskWindow[tasks.size()];
    // The latest that each window can end without a deadline of its own.
    long[] latest = new long[tasks.size()];
    for (int i = 0; i < windows.length; i++) {
      int parent = Task.parent(tasks, i);
      long opens = parent < 0 ? impression.eventTime() : latest[parent];
      latest[i] = opens + tasks.get(i).windowMillis();
      windows[i] = of(tasks.get(i), impression.deadline(i), impression.eventTime(), latest[i]);
      latest[i] = windows[i].horizon(opens);
    }
    return windows;
  }

  private static TaskWindow of(Task task, Deadline deadline, long shown, long latest) {
    long whole = task.windowMillis();
    if (!task.deadline().present()) {
      return new TaskWindow(whole, OPEN, DeadlineUse.ABSENT);
    }
    long moment = deadline.millis() + task.deadline().grace().toMillis();
    return switch (deadline.kind()) {
      case ABSENT -> new TaskWindow(whole, OPEN, DeadlineUse.ABSENT);
      case INVALID -> new TaskWindow(whole, OPEN, DeadlineUse.INVALID);
      case AT ->
          moment <= shown
              ? new TaskWindow(whole, OPEN, DeadlineUse.PAST)
              : new TaskWindow(
                  whole, moment, moment > latest ? DeadlineUse.BEYOND : DeadlineUse.USED);
      case AFTER ->
          moment <= 0
              ? new TaskWindow(whole, OPEN, DeadlineUse.PAST)
              : new TaskWindow(
                  Math.min(whole, moment),
                  OPEN,
                  moment > whole ? DeadlineUse.BEYOND : DeadlineUse.USED);
    };
  }

  /** The horizon of each task: the latest moment at which its label can change. */
  public static long[] horizons(List<Task> tasks, TaskWindow[] windows, long shown) {
    long[] horizons = new long[windows.length];
    for (int i = 0; i < horizons.length; i++) {
      int parent = Task.parent(tasks, i);
      horizons[i] = windows[i].horizon(parent < 0 ? shown : horizons[parent]);
    }
    return horizons;
  }

  /** The last moment that counts after a parent's event, which may be before that event. */
  public long closes(long parent) {
    return Math.min(parent + length, end);
  }

  /** The same for the parent's last moment, and never before it: nothing is emitted before it. */
  private long horizon(long parentHorizon) {
    return Math.max(parentHorizon, closes(parentHorizon));
  }
}
