package dev.freshet.core.labels;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * State of the join under one key until the impression's last label is final: the impression, its
 * feedback, and which labels have been emitted. Mutable; one owner, the keyed state.
 */
public final class PendingImpression {

  /** No timer, no limit. */
  public static final long NONE = Long.MAX_VALUE;

  /** Null while there is none. */
  @Nullable Impression impression;

  final List<Feedback> feedback = new ArrayList<>(2);

  /**
   * Per task, one bit for each {@link LabelKind} that was emitted. The first task's bit for {@link
   * LabelKind#NONE} says that the impression was announced.
   */
  final byte[] emitted;

  /** Per task the moment at which {@link LabelKind#FIRST} was emitted, or {@link #NONE}. */
  final long[] firstAt;

  /**
   * Per task what was last emitted, where records repeat: with each change, or part of a window.
   */
  final Emitted[] amounts;

  /** While there is no impression: until when feedback waits for it. */
  long waitsUntil = NONE;

  /** Event time of the one timer that is registered for this key. */
  private long timer = NONE;

  /** Id of what was just read from state, whose bytes leave it out. */
  static final String UNNAMED = "";

  /** The value last emitted, when, and how many changes or parts were emitted up to then. */
  record Emitted(double value, boolean reached, long at, int changes) {}

  /** An empty state for a chain of {@code tasks}. */
  public PendingImpression(int tasks) {
    emitted = new byte[tasks];
    firstAt = new long[tasks];
    Arrays.fill(firstAt, NONE);
    amounts = new Emitted[tasks];
  }

  boolean wasEmitted(int task, LabelKind kind) {
    return (emitted[task] & 1 << kind.ordinal()) != 0;
  }

  /** True if a record that a plan asks for was emitted already. */
  boolean wasEmitted(int task, LabelKind kind, long time) {
    boolean repeated = kind == LabelKind.LATE_COPY || kind == LabelKind.PENDING;
    return repeated && amounts[task] != null ? time <= amounts[task].at() : wasEmitted(task, kind);
  }

  void emit(int task, LabelKind kind, long time) {
    emitted[task] |= (byte) (1 << kind.ordinal());
    if (kind == LabelKind.FIRST) {
      firstAt[task] = time;
    }
  }

  /** The same with the id under which it was kept. */
  public PendingImpression named(String id) {
    if (impression != null && impression.id().equals(UNNAMED)) {
      impression = impression.withId(id);
    }
    feedback.replaceAll(
        event ->
            event.impressionId().equals(UNNAMED)
                ? new Feedback(id, event.eventId(), event.task(), event.eventTime(), event.value())
                : event);
    return this;
  }

  /** True if nothing more can come of this key, so that its state must go. */
  public boolean finished() {
    if (impression == null) {
      return feedback.isEmpty();
    }
    for (int task = 0; task < emitted.length; task++) {
      if (!wasEmitted(task, LabelKind.FINAL)) {
        return false;
      }
    }
    return true;
  }

  public long timer() {
    return timer;
  }

  public void timer(long time) {
    timer = time;
  }
}
