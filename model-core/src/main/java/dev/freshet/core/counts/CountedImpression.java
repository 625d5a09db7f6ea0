package dev.freshet.core.counts;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * State of an impression, kept so that its feedback can be counted: for which values, until when,
 * and which events were counted. Mutable; one owner, the keyed state.
 */
public final class CountedImpression {

  /** An event that was seen; by hash, for it takes less room. */
  record Seen(int task, long hash) {}

  /** Feedback that waits for its impression. */
  record Waiting(int task, long time) {}

  /** Null while there is no impression. */
  long @Nullable [] keys;

  long shown;

  /** Of each task the last moment that counts; null while there is no impression. */
  long @Nullable [] ends;

  long until;
  final List<Seen> seen = new ArrayList<>(2);
  final List<Waiting> waiting = new ArrayList<>(0);

  /** Until when, in event time, this is kept. */
  public long until() {
    return until;
  }
}
