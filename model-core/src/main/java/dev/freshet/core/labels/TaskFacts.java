package dev.freshet.core.labels;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What one task of one impression looks like to someone who knows every event up to a moment.
 *
 * <p>An event counts when it lies inside the window of at least one event of its parent task that
 * itself counts: {@code p <= t <= p + window}. That rule only ever adds when events are added, so
 * neither the order of arrival nor a repeat purchase can take a label back.
 *
 * @param parents event times of the parent's events that count, ascending; the impression's for the
 *     first task
 * @param counted the task's own events that count, by time
 * @param settled when nothing can change the label any more
 */
record TaskFacts(Task task, List<Long> parents, List<Feedback> counted, long settled) {

  /** Facts of the whole chain as of {@code asOf}: later events are treated as unknown. */
  static List<TaskFacts> chain(
      List<Task> tasks, Impression impression, List<Feedback> feedback, long asOf) {
    List<TaskFacts> chain = new ArrayList<>(tasks.size());
    for (int i = 0; i < tasks.size(); i++) {
      int parent = Task.parent(tasks, i);
      chain.add(
          parent < 0
              ? of(
                  tasks.get(i),
                  i,
                  List.of(impression.eventTime()),
                  impression.eventTime(),
                  feedback,
                  asOf)
              : of(
                  tasks.get(i),
                  i,
                  chain.get(parent).positives(),
                  chain.get(parent).settled(),
                  feedback,
                  asOf));
    }
    return chain;
  }

  private static TaskFacts of(
      Task task,
      int index,
      List<Long> parents,
      long parentSettled,
      List<Feedback> feedback,
      long asOf) {
    List<Feedback> counted = new ArrayList<>(feedback.size());
    for (Feedback event : feedback) {
      if (event.task() == index
          && event.eventTime() <= asOf
          && inWindow(event.eventTime(), parents, task.windowMillis())) {
        counted.add(event);
      }
    }
    counted.sort(Comparator.comparingLong(Feedback::eventTime).thenComparing(Feedback::eventId));
    if (task.explicit() && !counted.isEmpty()) {
      Feedback outcome = counted.get(0);
      return new TaskFacts(
          task, parents, List.of(outcome), Math.max(parentSettled, outcome.eventTime()));
    }
    long settled = parentSettled;
    if (!parents.isEmpty()) {
      long last = parents.get(parents.size() - 1);
      settled = Math.max(settled, last + task.windowMillis());
    }
    return new TaskFacts(task, parents, counted, settled);
  }

  private static boolean inWindow(long time, List<Long> parents, long window) {
    for (long parent : parents) {
      if (time >= parent && time - parent <= window) {
        return true;
      }
    }
    return false;
  }

  /** Times of the events that let the next task happen, ascending. */
  List<Long> positives() {
    List<Long> times = new ArrayList<>(counted.size());
    for (Feedback event : counted) {
      if (!task.binary() || event.value() != 0) {
        times.add(event.eventTime());
      }
    }
    return times;
  }

  /** The label: 0 or 1, or the aggregated amount. */
  double value() {
    if (task.binary()) {
      return positives().isEmpty() ? 0 : 1;
    }
    double value = 0;
    for (int i = 0; i < counted.size(); i++) {
      double amount = counted.get(i).value();
      value =
          switch (task.aggregate()) {
            case SUM -> value + amount;
            case LAST -> amount;
            case MAX -> i == 0 ? amount : Math.max(value, amount);
          };
    }
    return value;
  }
}
