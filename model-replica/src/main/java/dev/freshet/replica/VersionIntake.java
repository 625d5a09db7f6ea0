package dev.freshet.replica;

import static java.util.Objects.requireNonNull;
import static java.util.Objects.requireNonNullElse;

import dev.freshet.core.network.ModelContext;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.ModelFingerprint;
import dev.freshet.core.snapshot.SnapshotAssembler.Snapshot;
import dev.freshet.core.snapshot.StorageException;
import dev.freshet.replica.ServedVersion.Pin;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes in a version that is whole: checks that it fits and is news, and prepares the change from
 * the version in use to it. For the follower's thread.
 */
final class VersionIntake {

  private static final Logger LOG = LoggerFactory.getLogger(VersionIntake.class);

  private final ModelContext context;
  private final VersionStore store;
  private final long rowCache;
  private final ServedVersion served;
  private final ReplicaStatus status;
  private int databases;

  /** When the change to the version that is being taken began, by {@link System#nanoTime}. */
  private long begun;

  /**
   * Versions that are read before any of them is taken: from the beginning of the topic, or for a
   * pin.
   */
  private @Nullable Chain chain = new Chain();

  /**
   * True if a restart finds versions as files: the folder stays, and rows are not in a database.
   */
  private final boolean filed;

  /** The version that was followed last, and what it builds on, if they are files. */
  private final Set<String> held = new HashSet<>();

  VersionIntake(
      ModelContext context,
      VersionStore store,
      long rowCache,
      ServedVersion served,
      ReplicaStatus status) {
    this.context = context;
    this.store = store;
    this.rowCache = rowCache;
    this.served = served;
    this.status = status;
    filed = store.stays() && rowCache == 0;
  }

  /** True if versions are put by until the end of the topic, or the one that is pinned. */
  boolean collects() {
    return chain != null;
  }

  /** From here on versions are put by. */
  void collect() {
    chain = new Chain();
  }

  /** From here on versions are taken as they come. */
  void takeEach() {
    chain = null;
  }

  /** Takes what a replica before has left in the folder. */
  void warmStart() throws IOException {
    if (!reopen()) {
      Optional<Chain> kept = store.newest();
      if (kept.isPresent() && kept.get().manifests().stream().allMatch(this::fits)) {
        take(kept.get(), null);
      }
    }
  }

  /** True if no more than the name is wanted of messages of the version in use. */
  boolean passesOverCurrent() {
    return !filed && chain == null;
  }

  /** Versions whose files a restart needs. */
  Set<String> needed() {
    Set<String> needed = new HashSet<>(held);
    if (chain != null) {
      chain.manifests().forEach(manifest -> needed.add(manifest.version()));
    }
    return needed;
  }

  /** All there is has been read: the newest that was put by is taken at once. */
  void takeNewest() throws StorageException {
    Chain whole = requireNonNull(chain, "nothing was put by");
    if (!whole.isEmpty() && served.is(whole.newest().version())) {
      publishedAgain(whole.newest());
    } else if (!whole.isEmpty()) {
      take(whole, null);
    }
    chain = null;
  }

  /** Takes the version whose rows are on disk, if they are there and there is one. */
  private boolean reopen() throws IOException {
    if (rowCache == 0) {
      return false;
    }
    for (int i = 0; i < 2 && served.current() == null; i++) {
      begun = System.nanoTime();
      RowDatabase rows = requireNonNull(newDatabase());
      Optional<LoadedModel> model = LoadedModel.reopened(context, rows, this::fits);
      if (model.isPresent()) {
        swap(model.get());
      }
    }
    return served.current() != null;
  }

  /** A database for rows, beside that of the model in use; null if rows are held in memory. */
  private @Nullable RowDatabase newDatabase() throws IOException {
    return rowCache == 0
        ? null
        : new RowDatabase(store.resolve("rows-" + databases++ % 2), rowCache, context);
  }

  /**
   * A version is whole.
   *
   * @param wanted version that is pinned; null if none is
   */
  void accept(Snapshot snapshot, @Nullable Pin wanted) throws StorageException {
    if (!fits(snapshot.manifest())) {
      return;
    }
    if (chain == null) {
      if (wanted == null && served.isOlderThan(snapshot.manifest())) {
        take(snapshot);
      } else if (wanted == null && served.is(snapshot.manifest().version())) {
        publishedAgain(snapshot.manifest());
      }
      return;
    }
    boolean linked = chain.add(snapshot);
    if (linked) {
      served.know(snapshot.manifest());
    }
    if (linked && wanted != null && snapshot.manifest().version().equals(wanted.version())) {
      take(chain, wanted);
      chain = null; // what comes after it is read when it is unpinned
    }
  }

  private boolean fits(Manifest manifest) {
    if (!manifest.schema().equals(context.schema().fingerprint())) {
      status.refuse(
          RefusalReason.OTHER_SCHEMA,
          "version "
              + manifest.version()
              + " is of other features: "
              + context.schema().differencesFrom(manifest.features()));
      return false;
    }
    if (!manifest.model().equals(context.model().name())
        || !manifest.settings().equals(ModelFingerprint.of(context))) {
      status.refuse(
          RefusalReason.OTHER_MODEL,
          "version "
              + manifest.version()
              + (manifest.model().equals(context.model().name())
                  ? " is of this model with other settings or tasks"
                  : " is of model " + manifest.model()));
      return false;
    }
    return true;
  }

  private void take(Snapshot snapshot) throws StorageException {
    Manifest manifest = snapshot.manifest();
    LoadedModel current = served.current();
    begun = System.nanoTime();
    try {
      if (manifest.isDelta() && current == null) {
        LOG.debug("Version {} is left from before the oldest base", manifest.version());
      } else if (current != null && manifest.isDelta() && !current.isParentOf(manifest)) {
        status.refuse(
            RefusalReason.MISSING_PARENT,
            "version " + manifest.version() + " builds on " + manifest.parent());
      } else {
        if (current == null) {
          swap(new LoadedModel(context, snapshot, newDatabase()));
        } else {
          current.become(snapshot);
          taken(manifest);
        }
        hold(manifest);
      }
    } catch (StorageException e) {
      throw e;
    } catch (IOException e) {
      status.refuse(
          RefusalReason.UNREADABLE, "version " + manifest.version() + ": " + e.getMessage());
    }
  }

  /** The version in use is on the topic as a base too; the next delta builds on that. */
  void publishedAgain(Manifest manifest) throws StorageException {
    LoadedModel current = requireNonNull(served.current(), "it is in use");
    if (manifest.isDelta() || !current.manifest().isDelta()) {
      return;
    }
    try {
      current.becomeBase(manifest);
      hold(manifest);
    } catch (StorageException e) {
      throw e;
    } catch (IOException e) {
      status.refuse(
          RefusalReason.UNREADABLE, "version " + manifest.version() + ": " + e.getMessage());
    }
  }

  private void hold(Manifest manifest) {
    if (!manifest.isDelta()) {
      held.clear();
    }
    if (filed) {
      held.add(manifest.version());
    }
  }

  private void take(Chain whole, @Nullable Pin wanted) throws StorageException {
    begun = System.nanoTime();
    try {
      LoadedModel model = whole.load(context, newDatabase());
      whole.manifests().forEach(served::know);
      swap(model);
      if (wanted != null) {
        wanted.held().complete(model.manifest());
      } else {
        whole.manifests().forEach(this::hold);
      }
    } catch (StorageException e) {
      throw e;
    } catch (IOException e) {
      String why = requireNonNullElse(e.getMessage(), e.toString());
      status.refuse(RefusalReason.UNREADABLE, why);
      if (wanted != null) {
        served.fail(wanted, why);
      }
    }
  }

  private void swap(LoadedModel next) {
    served.swap(next);
    taken(next.manifest());
  }

  private void taken(Manifest manifest) {
    served.know(manifest);
    served.taken();
    LOG.info("Model {} is now version {}", context.model().name(), manifest.version());
    Duration took = Duration.ofNanos(System.nanoTime() - begun);
    status.listeners().forEach(listener -> listener.version(manifest));
    status.listeners().forEach(listener -> listener.swapped(took));
    if (status.state().waiting() == Waiting.VERSION) {
      status.waitFor(Waiting.NOTHING);
    }
  }
}
