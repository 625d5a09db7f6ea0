package dev.freshet.core.labels;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.TreeSet;

/**
 * One task of one impression as it is known from every event up to a moment.
 *
 * <p>An event counts when it lies inside the window of at least one event of its parent task that
 * itself counts: {@code p - skew <= t <= p + window}, and not after the task's deadline, if the
 * impression has one. It counts at {@code max(t, p)}: clocks differ by up to the skew, but nothing
 * happens before what it follows from. For its own children it counts so for every parent whose
 * window it is in. That rule only ever adds when events are added, so neither the order of arrival
 * nor a repeat purchase can take a label back.
 *
 * @param parents times at which the parent's events count, ascending; the impression's for the
 *     first task
 * @param counted the task's own events that count, by the time at which they do
 * @param opens times at which the task's positives let its children happen, ascending
 * @param finalAt when the label is final: nothing can change it any more
 */
record TaskFacts(
    Task task, List<Long> parents, List<Counted> counted, List<Long> opens, long finalAt) {

  /** An event and the first time at which it counts. */
  record Counted(Feedback event, long at) {}

  /**
   * Facts of the whole chain as of {@code asOf}: later events are treated as unknown.
   *
   * @param skew milliseconds that an event may be before its parent
   */
  static List<TaskFacts> chain(
      List<Task> tasks,
      TaskWindow[] windows,
      Impression impression,
      List<Feedback> feedback,
      long skew,
      long asOf) {
    List<TaskFacts> chain = new ArrayList<>(tasks.size());
    for (int i = 0; i < tasks.size(); i++) {
      int parent = Task.parent(tasks, i);
      List<Long> parents = parent < 0 ? List.of(impression.eventTime()) : chain.get(parent).opens();
      long finalAt = parent < 0 ? impression.eventTime() : chain.get(parent).finalAt();
      chain.add(of(tasks.get(i), windows[i], i, parents, finalAt, feedback, skew, asOf));
    }
    return chain;
  }

  private static TaskFacts of(
      Task task,
      TaskWindow window,
      int index,
      List<Long> parents,
      long parentFinal,
      List<Feedback> feedback,
      long skew,
      long asOf) {
    List<Counted> counted = new ArrayList<>(0);
    List<Long> positives = new ArrayList<>(0);
    for (Feedback event : feedback) {
      if (event.task() == index) {
        List<Long> times = times(event.eventTime(), parents, window, skew, asOf);
        if (!times.isEmpty()) {
          counted.add(new Counted(event, times.get(0)));
          if (positive(task, event)) {
            positives.addAll(times);
          }
        }
      }
    }
    counted.sort(
        Comparator.comparingLong(Counted::at)
            .thenComparingLong(c -> c.event().eventTime())
            .thenComparing(c -> c.event().eventId()));
    if (task.explicit() && !counted.isEmpty()) {
      Counted outcome = counted.get(0);
      return new TaskFacts(
          task,
          parents,
          List.of(outcome),
          positive(task, outcome.event()) ? List.of(outcome.at()) : List.of(),
          Math.max(parentFinal, outcome.at()));
    }
    long finalAt = parentFinal;
    if (!parents.isEmpty()) {
      long last = parents.get(parents.size() - 1);
      finalAt = Math.max(finalAt, window.closes(last));
    }
    List<Long> opens = positives.size() < 2 ? positives : List.copyOf(new TreeSet<>(positives));
    return new TaskFacts(task, parents, counted, opens, finalAt);
  }

  /** When an event counts, ascending; empty if it does not. */
  private static List<Long> times(
      long time, List<Long> parents, TaskWindow window, long skew, long asOf) {
    List<Long> times = new ArrayList<>(1);
    for (long parent : parents) {
      long at = Math.max(time, parent);
      boolean within = time >= parent - skew && at <= window.closes(parent) && at <= asOf;
      if (within && (times.isEmpty() || times.get(times.size() - 1) != at)) {
        times.add(at);
      }
    }
    return times;
  }

  private static boolean positive(Task task, Feedback event) {
    return !task.binary() || event.value() != 0;
  }

  /** Times at which the events count that are no reported negative, ascending. */
  List<Long> positives() {
    List<Long> times = new ArrayList<>(counted.size());
    for (Counted one : counted) {
      if (positive(task, one.event())) {
        times.add(one.at());
      }
    }
    return times;
  }

  /** When an event counts, if it does. */
  OptionalLong countsAt(Feedback event) {
    for (Counted one : counted) {
      if (one.event().equals(event)) {
        return OptionalLong.of(one.at());
      }
    }
    return OptionalLong.empty();
  }

  /** True if there is nothing that an event could follow from. */
  boolean withoutParent() {
    return parents.isEmpty();
  }

  /** Milliseconds by which an event is before all that it could follow from, or 0. */
  long early(Feedback event) {
    return parents.isEmpty() ? 0 : Math.max(0, parents.get(0) - event.eventTime());
  }

  /** The label: 0 or 1, or the aggregated amount, which is finite. */
  double value() {
    if (task.binary()) {
      return opens.isEmpty() ? 0 : 1;
    }
    double value = 0;
    for (int i = 0; i < counted.size(); i++) {
      double amount = counted.get(i).event().value();
      value =
          switch (task.aggregate()) {
            // Two numbers at the ends of the range must not add up to infinity.
            case SUM -> Math.min(Math.max(value + amount, -Double.MAX_VALUE), Double.MAX_VALUE);
            case LAST -> amount;
            case MAX -> i == 0 ? amount : Math.max(value, amount);
          };
    }
    return value;
  }
}
