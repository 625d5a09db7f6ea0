package dev.freshet.replica;

import dev.freshet.core.snapshot.Manifest;
import java.time.Duration;

/** Hears what a replica does. Called on the replica's own thread: be quick. */
public interface ReplicaListener {

  /** Predictions are made by this version from now on. */
  default void version(Manifest manifest) {}

  /**
   * A version took the place of another one.
   *
   * @param took from its last message to the first prediction that it could make
   */
  default void swapped(Duration took) {}

  /** A version was not taken; the one in use stays. */
  default void refused(RefusalReason reason, String detail) {}

  /**
   * It waits for something else from now on.
   *
   * @param detail the same in a sentence for whoever runs it
   */
  default void waiting(Waiting what, String detail) {}
}
