package dev.freshet.core.labels;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the join remembers under one key until the impression's last label is settled: the
 * impression, its feedback, and which labels have been told. Mutable; one owner, the keyed state.
 */
public final class PendingImpression {

  /** No timer, no limit. */
  public static final long NONE = Long.MAX_VALUE;

  /** Null while there is none. */
  @Nullable Impression impression;

  final List<Feedback> feedback = new ArrayList<>(2);

  /**
   * Per task, one bit for each {@link LabelKind} that was told. The first task's bit for {@link
   * LabelKind#NONE} says that the impression was announced.
   */
  final byte[] told;

  /** Per task the moment at which {@link LabelKind#FIRST} was told, or {@link #NONE}. */
  final long[] spoke;

  /** Per task what was last told, where records repeat: with each change, or part of a window. */
  final Told[] amounts;

  /** While there is no impression: until when feedback waits for it. */
  long waitsUntil = NONE;

  /** Event time of the one timer that is registered for this key. */
  private long timer = NONE;

  /** Id of what was just read from state, whose bytes leave it out. */
  static final String UNNAMED = "";

  /** What was last told, when, and how many changes or parts were told up to then. */
  record Told(double value, boolean reached, long at, int changes) {}

  /** An empty state for a chain of {@code tasks}. */
  public PendingImpression(int tasks) {
    told = new byte[tasks];
    spoke = new long[tasks];
    Arrays.fill(spoke, NONE);
    amounts = new Told[tasks];
  }

  boolean wasTold(int task, LabelKind kind) {
    return (told[task] & 1 << kind.ordinal()) != 0;
  }

  /** Whether a record that a plan asks for is behind us. */
  boolean wasTold(int task, LabelKind kind, long time) {
    boolean repeated = kind == LabelKind.LATE_COPY || kind == LabelKind.PENDING;
    return repeated && amounts[task] != null ? time <= amounts[task].at() : wasTold(task, kind);
  }

  void tell(int task, LabelKind kind, long time) {
    told[task] |= (byte) (1 << kind.ordinal());
    if (kind == LabelKind.FIRST) {
      spoke[task] = time;
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

  /** Whether nothing more can come of this key, so that its state must go. */
  public boolean finished() {
    if (impression == null) {
      return feedback.isEmpty();
    }
    for (int task = 0; task < told.length; task++) {
      if (!wasTold(task, LabelKind.FINAL)) {
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
