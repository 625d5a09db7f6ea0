package dev.freshet.core.labels;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.events.Deadline;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.labels.correction.TaskTimeline;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;

/**
 * Joins one impression with its feedback, whichever comes first, and emits its labels when the
 * delay correction says so. Knows nothing of Flink: the operator keeps the {@link
 * PendingImpression}, sets the timer that {@link #nextMoment} asks for, and calls {@link #onTimer}.
 *
 * <p>Labels are only ever read when the watermark passes a moment, from the events up to that
 * moment, so they depend on the set of events and not on the order in which these arrive. Events
 * that come behind the watermark change what has not been emitted yet, and nothing else.
 */
public final class LabelJoin implements Serializable {

  /** Receives what leaves the join. */
  public interface Output {
    void example(LabeledExample example);

    void dropped(DroppedEvent event);

    /**
     * An event counts, at its parent: by its own clock it was before it.
     *
     * @param early by how many milliseconds
     */
    default void skewed(Feedback event, long early) {}

    /**
     * An impression is taken, and this became of its deadline for a task that asks for one.
     *
     * @param said the impression's own deadline
     */
    default void deadline(int task, DeadlineUse use, Impression impression, Deadline said) {}
  }

  private final List<Task> tasks;
  private final long orphanWait;
  private final long skew;
  private final int maxEvents;
  private final boolean announceImpressions;

  /**
   * @param announceImpressions true if every impression also leaves when the watermark passes it,
   *     unlabelled, so that it is scored by a model that knows just the labels that were known then
   */
  public LabelJoin(List<Task> tasks, LabelSettings settings, boolean announceImpressions) {
    this.tasks = List.copyOf(tasks);
    maxEvents = settings.maxEvents();
    skew = settings.clockSkew().toMillis();
    this.orphanWait = settings.orphanWait().toMillis();
    this.announceImpressions = announceImpressions;
  }

  /** The tasks, in order. */
  public List<Task> tasks() {
    return tasks;
  }

  /**
   * An impression came.
   *
   * @return true if that changed what is pending
   */
  public boolean onImpression(
      PendingImpression pending, Impression impression, long watermark, Output out) {
    if (pending.impression != null) {
      out.dropped(dropped(DropReason.DUPLICATE, impression));
      return false;
    }
    TaskWindow[] windows = TaskWindow.of(tasks, impression);
    if (windows[0].closes(impression.eventTime()) <= watermark) {
      out.dropped(dropped(DropReason.LATE, impression));
      return false;
    }
    pending.impression = kept(impression);
    pending.waitsUntil = PendingImpression.NONE;
    for (int task = 0; task < windows.length; task++) {
      if (tasks.get(task).deadline().present()) {
        out.deadline(task, windows[task].use(), impression, impression.deadline(task));
      }
    }
    return true;
  }

  /** As it waits: what was refused is reported by now. */
  private static Impression kept(Impression impression) {
    return impression.deadlines().stream().noneMatch(said -> said.kind() == Deadline.Kind.INVALID)
        ? impression
        : impression.withDeadlines(
            impression.deadlines().stream()
                .map(said -> said.kind() == Deadline.Kind.INVALID ? Deadline.invalid("") : said)
                .toList());
  }

  /**
   * Feedback came. Each task holds so many events at most, so that a robot that clicks without end
   * neither costs more than who clicks once nor keeps another task's events out.
   *
   * @return true if that changed what is pending
   */
  public boolean onFeedback(PendingImpression pending, Feedback event, long watermark, Output out) {
    int held = 0;
    boolean known = false;
    for (Feedback other : pending.feedback) {
      if (other.task() == event.task()) {
        held++;
        known |= other.eventId().equals(event.eventId());
      }
    }
    if (known) {
      out.dropped(dropped(DropReason.DUPLICATE, event));
      return false;
    }
    if (pending.impression == null) {
      if (saturatedAdd(event.eventTime(), orphanWait) < watermark) {
        out.dropped(dropped(DropReason.LATE, event));
        return false;
      }
    } else if (pending.wasEmitted(event.task(), LabelKind.FINAL)) {
      out.dropped(uncounted(pending, event));
      return false;
    }
    if (held >= maxEvents) {
      out.dropped(dropped(DropReason.TOO_MANY, event));
      return false;
    }
    if (pending.impression == null) {
      long limit = saturatedAdd(Math.max(event.eventTime(), watermark), orphanWait);
      pending.waitsUntil = pending.feedback.isEmpty() ? limit : Math.max(pending.waitsUntil, limit);
    }
    pending.feedback.add(event);
    return true;
  }

  /** The next moment of event time at which {@link #onTimer} has something to do. */
  public long nextMoment(PendingImpression pending) {
    if (pending.impression == null) {
      return pending.waitsUntil;
    }
    return nextMoment(pending, new Known(pending, pending.impression, Long.MAX_VALUE));
  }

  private long nextMoment(PendingImpression pending, Known known) {
    Moments moments = new Moments(pending, known, Long.MAX_VALUE);
    return announcementIsDue(pending)
        ? Math.min(known.impression.eventTime(), moments.next)
        : moments.next;
  }

  /**
   * The watermark has passed {@code time}, which {@link #nextMoment} asked for.
   *
   * @return the next moment, or {@link PendingImpression#NONE} where nothing is pending any more
   */
  public long onTimer(PendingImpression pending, long time, Output out) {
    if (pending.impression == null) {
      for (Feedback event : pending.feedback) {
        out.dropped(dropped(DropReason.ORPHANED, event));
      }
      pending.feedback.clear();
      return PendingImpression.NONE;
    }
    if (announcementIsDue(pending) && pending.impression.eventTime() <= time) {
      pending.emit(0, LabelKind.NONE, time);
      TaskLabel[] none = new TaskLabel[tasks.size()];
      Arrays.fill(none, TaskLabel.NONE);
      out.example(new LabeledExample(pending.impression, time, none));
    }
    Known known = new Known(pending, pending.impression, time);
    Moments moments = new Moments(pending, known, time);
    if (moments.emit()) {
      out.example(new LabeledExample(pending.impression, time, moments.labels));
    }
    if (pending.finished()) {
      reportEvents(pending, known.chain, time, out);
      return PendingImpression.NONE;
    }
    return known.isAll(pending) ? nextMoment(pending, known) : nextMoment(pending);
  }

  private boolean announcementIsDue(PendingImpression pending) {
    return announceImpressions && !pending.wasEmitted(0, LabelKind.NONE);
  }

  private void reportEvents(
      PendingImpression pending, List<TaskFacts> chain, long finished, Output out) {
    for (Feedback event : pending.feedback) {
      TaskFacts facts = chain.get(event.task());
      OptionalLong at = facts.countsAt(event);
      if (at.isEmpty()) {
        out.dropped(uncounted(facts, event, finished));
      } else if (at.getAsLong() > event.eventTime()) {
        out.skewed(event, at.getAsLong() - event.eventTime());
      }
    }
  }

  /** Why an event does not count whose label has been emitted; as it would be at the end. */
  private DroppedEvent uncounted(PendingImpression pending, Feedback event) {
    List<Feedback> known = new ArrayList<>(pending.feedback);
    known.add(event);
    Impression impression = requireNonNull(pending.impression, "its label was emitted");
    TaskWindow[] windows = TaskWindow.of(tasks, impression);
    List<TaskFacts> chain =
        TaskFacts.chain(tasks, windows, impression, known, skew, Long.MAX_VALUE);
    long[] horizons = TaskWindow.horizons(tasks, windows, impression.eventTime());
    long finished = Arrays.stream(horizons).max().orElseThrow();
    return uncounted(chain.get(event.task()), event, finished);
  }

  /**
   * By the events' times alone, so that the order of arrival makes no difference: had it come when
   * it happened, what happened after the impression was finished would have found none.
   */
  private DroppedEvent uncounted(TaskFacts facts, Feedback event, long finished) {
    if (facts.withoutParent()) {
      return dropped(DropReason.NO_PARENT, event);
    }
    long early = facts.early(event);
    if (early > skew) {
      return dropped(DropReason.BEFORE_PARENT, event, early);
    }
    return dropped(event.eventTime() > finished ? DropReason.AFTER_END : DropReason.LATE, event);
  }

  private static long saturatedAdd(long time, long more) {
    return time > Long.MAX_VALUE - more ? Long.MAX_VALUE : time + more;
  }

  private static DroppedEvent dropped(DropReason reason, Feedback event) {
    return dropped(reason, event, 0);
  }

  private static DroppedEvent dropped(DropReason reason, Feedback event, long early) {
    return new DroppedEvent(
        reason,
        event.impressionId(),
        event.eventId(),
        event.task(),
        event.eventTime(),
        event.value(),
        early);
  }

  private static DroppedEvent dropped(DropReason reason, Impression impression) {
    return new DroppedEvent(
        reason, impression.id(), impression.id(), -1, impression.eventTime(), Double.NaN);
  }

  /** What the events up to a moment say of an impression. */
  private final class Known {
    private final Impression impression;
    private final long asOf;
    private final long[] horizons;
    private final List<TaskFacts> chain;

    Known(PendingImpression pending, Impression impression, long asOf) {
      this.impression = impression;
      this.asOf = asOf;
      TaskWindow[] windows = TaskWindow.of(tasks, impression);
      horizons = TaskWindow.horizons(tasks, windows, impression.eventTime());
      chain = TaskFacts.chain(tasks, windows, impression, pending.feedback, skew, asOf);
    }

    /** True if no event is later, so that this is also what is known at the end of time. */
    boolean isAll(PendingImpression pending) {
      return impression.eventTime() <= asOf
          && pending.feedback.stream().allMatch(event -> event.eventTime() <= asOf);
    }
  }

  /** The correction's plan for all tasks by what is known, and what of it is due at a moment. */
  private final class Moments {
    private final PendingImpression pending;
    private final long asOf;
    private final List<TaskFacts> chain;
    private final LabelKind[] due;
    private final boolean[] learn;
    private final long[] starts;
    private final TaskLabel[] labels;
    private long next = PendingImpression.NONE;
    private long firstEmitted;

    Moments(PendingImpression pending, Known known, long asOf) {
      this.pending = pending;
      this.asOf = asOf;
      chain = known.chain;
      due = new LabelKind[tasks.size()];
      learn = new boolean[tasks.size()];
      starts = new long[tasks.size()];
      labels = new TaskLabel[tasks.size()];
      long shown = known.impression.eventTime();
      long[] emitted = new long[tasks.size()];
      for (int i = 0; i < tasks.size(); i++) {
        int parent = Task.parent(tasks, i);
        firstEmitted = TaskTimeline.NEVER;
        plan(i, parent < 0 ? shown : emitted[parent], known.horizons[i]);
        emitted[i] = firstEmitted;
      }
    }

    private void plan(int task, long parentEmitted, long horizon) {
      TaskFacts facts = chain.get(task);
      boolean possible = !facts.parents().isEmpty();
      starts[task] = possible ? facts.parents().get(0) : parentEmitted;
      Task of = tasks.get(task);
      requireNonNull(of.correction(), "tasks are resolved")
          .plan(
              new TaskTimeline(
                  starts[task],
                  parentEmitted,
                  possible,
                  facts.positives(),
                  of.explicit(),
                  facts.finalAt(),
                  horizon,
                  requireNonNull(of.waiting()).toMillis(),
                  pending.firstAt[task]),
              (time, kind, learns) -> {
                firstEmitted = Math.min(firstEmitted, time);
                if (pending.wasEmitted(task, kind, time)) {
                  return;
                }
                next = Math.min(next, time);
                // One at a time; a copy that is due with the final label goes before it.
                if (time <= asOf && (due[task] == null || kind.compareTo(due[task]) < 0)) {
                  due[task] = kind;
                  learn[task] = learns;
                }
              });
    }

    /** Emits what is due; true if there was anything. */
    boolean emit() {
      boolean any = false;
      for (int task = 0; task < labels.length; task++) {
        labels[task] = TaskLabel.NONE;
        if (due[task] != null) {
          labels[task] = label(task);
          pending.emit(task, due[task], asOf);
          any = true;
        }
      }
      return any;
    }

    private TaskLabel label(int task) {
      TaskFacts facts = chain.get(task);
      List<Long> positives = facts.positives();
      boolean reached = !facts.parents().isEmpty();
      int changes = 0;
      boolean news = true;
      DelayCorrections correction = requireNonNull(tasks.get(task).correction());
      if (correction.emitsChanges() || correction.parts() > 0) {
        PendingImpression.Emitted last = pending.amounts[task];
        news =
            correction.parts() > 0
                || last == null
                || last.value() != facts.value()
                || last.reached() != reached;
        changes = last == null ? 0 : last.changes() + (news ? 1 : 0);
        pending.amounts[task] =
            new PendingImpression.Emitted(facts.value(), reached, asOf, changes);
      }
      return new TaskLabel(
          due[task],
          facts.value(),
          learn[task] && news ? 1 : 0,
          Math.max(0, asOf - starts[task]),
          positives.isEmpty() ? -1 : Math.max(0, positives.get(0) - starts[task]),
          reached,
          !positives.isEmpty() && positives.get(0) > pending.firstAt[task],
          changes);
    }
  }
}
