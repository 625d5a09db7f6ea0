package dev.freshet.local.sample;

import dev.freshet.core.labels.Task;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a sample has of one task: how much of its feedback finds its impression, and how late. */
final class TaskProfile {

  private final Task task;
  private final Numbers delays = new Numbers();
  private final Numbers amounts = new Numbers();
  private final Map<String, Integer> impressions = new HashMap<>();
  private long events;
  private long uncovered;
  private long joined;
  private long withoutParent;
  private long beforeParent;

  private TaskProfile(Task task) {
    this.task = task;
  }

  /** Of each task, in their order. */
  static List<TaskProfile> of(EventSample sample, List<Task> tasks) {
    // When an impression's first event of a task was.
    List<Map<String, Long>> begun = new ArrayList<>();
    for (Task task : tasks) {
      Map<String, Long> of = new HashMap<>();
      for (EventSample.Event event : sample.events()) {
        if (event.kind().equals(task.name()) && (!task.binary() || event.value() != 0)) {
          of.merge(event.impression(), event.time(), Math::min);
        }
      }
      begun.add(of);
    }
    List<TaskProfile> all = new ArrayList<>();
    for (int i = 0; i < tasks.size(); i++) {
      TaskProfile profile = new TaskProfile(tasks.get(i));
      int parent = Task.parent(tasks, i);
      for (EventSample.Event event : sample.events()) {
        if (event.kind().equals(tasks.get(i).name())) {
          Long shown = sample.shownAt(event.impression());
          profile.add(
              event,
              sample.covers(event),
              shown,
              parent < 0 ? shown : begun.get(parent).get(event.impression()));
        }
      }
      all.add(profile);
    }
    return all;
  }

  private void add(
      EventSample.Event event, boolean covered, @Nullable Long shown, @Nullable Long parent) {
    events++;
    if (!task.binary()) {
      amounts.add(event.value());
    }
    if (shown == null) {
      uncovered += covered ? 0 : 1;
      return;
    }
    joined++;
    if (parent == null) {
      withoutParent++;
      return;
    }
    if (!task.binary() || event.value() != 0) {
      impressions.merge(event.impression(), 1, Integer::sum);
    }
    if (event.time() < parent) {
      beforeParent++;
    }
    delays.add(event.time() - parent);
  }

  Task task() {
    return task;
  }

  long events() {
    return events;
  }

  /** Events whose impression should be in the sample. */
  long covered() {
    return events - uncovered;
  }

  /** Events whose impression is in the sample. */
  long joined() {
    return joined;
  }

  /** Of those that are joined: without an event of the task that it comes after. */
  long withoutParent() {
    return withoutParent;
  }

  /** Of those with a parent: by their clock before it. */
  long beforeParent() {
    return beforeParent;
  }

  /** Impressions for which it happened, with its parent. */
  long impressions() {
    return impressions.size();
  }

  /** Most events of one impression. */
  int mostOfOne() {
    return impressions.values().stream().mapToInt(Integer::intValue).max().orElse(0);
  }

  /** Milliseconds from the parent's first event to each of its own; below 0 for one before it. */
  Numbers delays() {
    return delays;
  }

  /** Of a continuous task. */
  Numbers amounts() {
    return amounts;
  }

  /**
   * The share of events that come within the task's window.
   *
   * @param skew milliseconds that clocks may differ
   */
  double within(long skew) {
    return delays.upTo(task.window().toMillis()) - delays.upTo(-skew - 1);
  }
}
