package dev.freshet.job.training;

import java.time.Clock;

/**
 * When a trainer published its newest version. Kept in its checkpoints, so that the version's age
 * goes on over restarts.
 *
 * @param at epoch milliseconds; before the first version when the trainer was first started
 * @param step optimiser step of that version, {@value #NONE} before the first
 */
record LastPublished(long at, long step) {

  static final long NONE = -1;

  /** Before the first version of a trainer that starts now. */
  static LastPublished none(Clock clock) {
    return new LastPublished(clock.millis(), NONE);
  }

  /** Seconds since then. */
  double seconds(Clock clock) {
    return (clock.millis() - at) / 1000.0;
  }
}
