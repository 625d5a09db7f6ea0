package dev.freshet.replica;

import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.ModelVersion;
import java.time.Duration;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The version in use, and the one that is asked for. One thread, the follower, changes the first;
 * anybody may use it, wait for it, or ask for another. Thread-safe.
 */
final class ServedVersion {

  private static final int REMEMBERED = 100;

  private final String model;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final TreeSet<ModelVersion> known = new TreeSet<>();
  private @Nullable LoadedModel current;
  private @Nullable Pin pin;
  private boolean rewind;
  private long swaps;
  private boolean readOnce;
  private volatile boolean closing;

  /** A version to hold, and whoever waits for it. */
  record Pin(String version, CompletableFuture<Manifest> held) {}

  /**
   * Next action of the follower.
   *
   * @param pin the version to hold; null to follow the newest
   * @param rewind true to read the topic from its beginning
   */
  record Turn(@Nullable Pin pin, boolean rewind) {}

  ServedVersion(String model) {
    this.model = model;
  }

  /** For the follower, which alone changes it; null if there is none. */
  @Nullable LoadedModel current() {
    return current;
  }

  boolean is(String version) {
    return current != null && current.manifest().version().equals(version);
  }

  /** True if a version is newer than the one in use: after a restart some are read twice. */
  boolean isOlderThan(Manifest manifest) {
    return current == null
        || ModelVersion.parse(manifest.version())
                .compareTo(ModelVersion.parse(current.manifest().version()))
            > 0;
  }

  boolean closing() {
    return closing;
  }

  Turn turn() {
    lock.lock();
    try {
      Turn turn = new Turn(pin, rewind);
      rewind = false;
      return turn;
    } finally {
      lock.unlock();
    }
  }

  /** Another model takes the place of the one in use, which goes with its last user. */
  void swap(LoadedModel next) {
    LoadedModel previous;
    lock.lock();
    try {
      previous = current;
      current = next;
    } finally {
      lock.unlock();
    }
    if (previous != null) {
      previous.replaced();
    }
  }

  /** A version that may be rolled back to. */
  void know(Manifest manifest) {
    lock.lock();
    try {
      known.add(ModelVersion.parse(manifest.version()));
      if (known.size() > REMEMBERED) {
        known.pollFirst();
      }
    } finally {
      lock.unlock();
    }
  }

  /** The version in use has changed. */
  void taken() {
    lock.lock();
    try {
      swaps++;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The topic has been read to its end. */
  void readToItsEnd() {
    lock.lock();
    try {
      readOnce = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  boolean readOnce() {
    return readOnce;
  }

  /** Sleeps, unless the replica is closed. */
  void pause(Duration time) {
    lock.lock();
    try {
      if (!closing) {
        changed.awaitNanos(time.toNanos());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  /** As {@link ModelReplica#pin}. */
  CompletableFuture<Manifest> pin(String version) {
    Pin wanted = new Pin(version, new CompletableFuture<>());
    lock.lock();
    try {
      if (pin != null && !pin.held.isDone()) {
        pin.held.cancel(false);
      }
      pin = wanted;
      rewind = true;
    } finally {
      lock.unlock();
    }
    return wanted.held;
  }

  /** As {@link ModelReplica#rollBack}. */
  CompletableFuture<Manifest> rollBack() {
    ModelVersion before = null;
    lock.lock();
    try {
      if (current != null) {
        before = known.lower(ModelVersion.parse(current.manifest().version()));
      }
    } finally {
      lock.unlock();
    }
    if (before == null) {
      throw new IllegalStateException("there was no version before the one in use");
    }
    return pin(before.toString());
  }

  void unpin() {
    lock.lock();
    try {
      if (pin != null) {
        pin.held.cancel(false);
        pin = null;
        rewind = true;
      }
    } finally {
      lock.unlock();
    }
  }

  Optional<String> pinned() {
    lock.lock();
    try {
      return Optional.ofNullable(pin).map(Pin::version);
    } finally {
      lock.unlock();
    }
  }

  /** A pin that cannot be held is given up; the topic is read again and followed. */
  void fail(Pin wanted, String why) {
    lock.lock();
    try {
      if (pin == wanted) {
        pin = null;
        rewind = true;
      }
    } finally {
      lock.unlock();
    }
    wanted.held.completeExceptionally(new IllegalArgumentException(why));
  }

  /**
   * The version in use, which stays until it is released.
   *
   * @throws IllegalStateException if there is none
   */
  LoadedModel lease() {
    lock.lock();
    try {
      if (closing) {
        throw new IllegalStateException("the replica of " + model + " is closed");
      }
      if (current == null || !current.lease()) {
        throw new IllegalStateException("model " + model + " has no version yet; see awaitVersion");
      }
      return current;
    } finally {
      lock.unlock();
    }
  }

  /** As {@link ModelReplica#awaitVersion}, unless following has failed. */
  boolean await(Duration timeout, BooleanSupplier failed) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    lock.lockInterruptibly();
    try {
      long left = timeout.toNanos();
      while (!(readOnce && current != null) && left > 0 && !failed.getAsBoolean()) {
        changed.awaitNanos(Math.min(left, TimeUnit.SECONDS.toNanos(1)));
        left = deadline - System.nanoTime();
      }
      return current != null;
    } finally {
      lock.unlock();
    }
  }

  Optional<Manifest> manifest() {
    lock.lock();
    try {
      return Optional.ofNullable(current).map(LoadedModel::manifest);
    } finally {
      lock.unlock();
    }
  }

  long swaps() {
    lock.lock();
    try {
      return swaps;
    } finally {
      lock.unlock();
    }
  }

  /** Nobody gets a lease any more, and who sleeps wakes up. */
  void close() {
    closing = true;
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Gives up the version in use; null if there was none. */
  @Nullable LoadedModel leave() {
    lock.lock();
    try {
      LoadedModel last = current;
      current = null;
      if (pin != null) {
        pin.held.cancel(false);
      }
      changed.signalAll();
      return last;
    } finally {
      lock.unlock();
    }
  }
}
