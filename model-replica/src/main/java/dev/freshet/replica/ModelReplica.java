package dev.freshet.replica;

import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.events.Impression;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.ModelFingerprint;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.ModelVersion;
import dev.freshet.core.snapshot.SnapshotAssembler;
import dev.freshet.core.snapshot.SnapshotAssembler.Snapshot;
import dev.freshet.core.snapshot.StorageException;
import dev.freshet.topics.Brokers;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows one model on the model topic and always predicts with the newest version that arrived
 * whole. A version is put together on disk, checked, compared with what is in memory, and what
 * differs is taken between two batches: every batch is scored by one version, and the memory of a
 * second one is not needed. Whatever is wrong with a version, the last good one stays. Thread-safe.
 *
 * <p>{@link #pin} holds a version that is still on the topic, {@link #rollBack} the one before the
 * one in use, until {@link #unpin}. Those are loaded beside the one in use and swapped in.
 *
 * <p>With a folder of its own a replica that is started again predicts at once with the version it
 * had, and goes on where it had read to.
 *
 * <pre>
 * try (ModelReplica replica = ModelReplica.follow(pipeline, "main")) {
 *   replica.awaitVersion(Duration.ofSeconds(30));
 *   List&lt;Prediction&gt; scores = replica.predict(impressions);
 * }
 * </pre>
 */
public final class ModelReplica implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ModelReplica.class);
  private static final Duration POLL = Duration.ofMillis(250);
  private static final int REMEMBERED = 100;

  /** How often the broker is asked where the topic ends, and how long for an answer. */
  private static final Duration LOOK = Duration.ofSeconds(1);

  private static final Duration LOOK_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration CAUGHT_UP = Duration.ofSeconds(30);

  /** After a failure of Kafka or the disk. */
  private static final Duration PAUSE = Duration.ofSeconds(1);

  private final Pipeline pipeline;
  private final ModelContext context;
  private final ModelTopic topic;
  private final Clock clock;
  private final List<ReplicaListener> listeners = new CopyOnWriteArrayList<>();
  private final VersionStore store;
  private final SnapshotAssembler assembler;
  private final long rowCache;
  private int databases;

  /** What is read before any of it is taken: from the beginning of the topic, or for a pin. */
  private Chain chain;

  /**
   * Whether a restart finds versions as files: the folder stays, and rows are not in a database.
   */
  private final boolean filed;

  /** The version that was followed last, and what it builds on, if they are files. */
  private final Set<String> held = new HashSet<>();

  private final Thread follower;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final AtomicBoolean left = new AtomicBoolean();
  private final Map<RefusalReason, Long> refused = new EnumMap<>(RefusalReason.class);
  private final AtomicLong predictions = new AtomicLong();
  private final FieldCounts fieldCounts;
  private final TreeSet<ModelVersion> known = new TreeSet<>();
  private LoadedModel current;
  private Pin pin;
  private boolean rewind;
  private long swaps;
  private boolean readOnce;
  private volatile boolean closing;

  /** An end of the topic, and when that was its end; read when the position is there. */
  private long end;

  private long endAt;
  private boolean endReached = true;

  /** When the topic was last known to be read to its end, {@link System#nanoTime}. */
  private volatile OptionalLong readUpTo = OptionalLong.empty();

  /** Where to begin again if a version cannot be put together for want of disk. */
  private long resume;

  private boolean unstored;
  private boolean untidy;
  private String lastRefusal;
  private volatile State state;
  private volatile RuntimeException failure;

  /** A version to hold, and whoever waits for it. */
  private record Pin(String version, CompletableFuture<Manifest> held) {}

  /** What is waited for, and that in a sentence. */
  public record State(Waiting waiting, String detail) {}

  private ModelReplica(
      Pipeline pipeline, String model, VersionStore store, long rowCache, Clock clock) {
    this.pipeline = pipeline;
    this.rowCache = rowCache;
    context = pipeline.context(pipeline.model(model));
    topic = new ModelTopic(pipeline, model);
    state =
        new State(
            Waiting.END,
            "topic " + topic.name() + " at " + topic.bootstrap() + " has not been looked at yet");
    fieldCounts =
        new FieldCounts(context.schema().sent().stream().map(FeatureField::name).toList());
    this.store = store;
    assembler = store.assembler();
    filed = store.stays() && rowCache == 0;
    this.clock = clock;
    follower = new Thread(this::run, "replica-" + model);
    follower.setDaemon(true);
  }

  /** Starts to follow a model of the pipeline, with the default settings. */
  public static ModelReplica follow(Pipeline pipeline, String model) throws IOException {
    return follow(pipeline, model, ReplicaSettings.DEFAULT);
  }

  /**
   * Starts to follow a model of the pipeline, from where another replica stopped that had the same
   * folder.
   *
   * @throws IOException if the folder cannot be written, or another replica uses it
   */
  public static ModelReplica follow(Pipeline pipeline, String model, ReplicaSettings settings)
      throws IOException {
    VersionStore store =
        settings.folder() == null
            ? VersionStore.temporary()
            : VersionStore.in(settings.folder().resolve(model));
    ModelReplica replica =
        new ModelReplica(pipeline, model, store, settings.rowCache(), Clock.systemUTC());
    replica.follower.start();
    return replica;
  }

  private void run() {
    try {
      warmStart();
      noBroker().ifPresent(why -> waitFor(Waiting.BROKER, why));
      while (!closing) {
        follow();
      }
    } catch (WakeupException e) {
      LOG.debug("Woken up to close");
    } catch (RuntimeException e) {
      LOG.error("Replica of {} stops following", context.model().name(), e);
      failure = e;
    } finally {
      topic.close();
      if (closing) {
        leave();
      }
    }
  }

  private void warmStart() {
    chain = new Chain();
    try {
      if (!reopen()) {
        Optional<Chain> kept = store.newest();
        if (kept.isPresent() && kept.get().manifests().stream().allMatch(this::fits)) {
          take(kept.get(), null);
        }
      }
      if (current != null) {
        if (store.resume(topic)) {
          chain = null;
        }
      }
    } catch (IOException e) {
      LOG.warn("Model {} starts without its folder", context.model().name(), e);
    }
  }

  private void follow() {
    try {
      Pin wanted = takeTurn();
      if (!topic.find()) {
        waitFor(Waiting.PARTITION);
        pause();
        return;
      }
      if (!assembler.pending()) {
        resume = topic.position();
      }
      List<ModelRecord> records = topic.poll(POLL);
      for (ModelRecord record : records) {
        if (closing) {
          return;
        }
        accept(record, wanted);
      }
      if (!records.isEmpty()) {
        passOver(records.get(records.size() - 1), wanted);
      }
      boolean hurried = !readOnce || chain != null;
      boolean ended = isRead(hurried);
      if (ended) {
        atEnd(wanted);
      }
      if (((ended && hurried) || !records.isEmpty()) && !assembler.pending()) {
        tidy(wanted);
      }
    } catch (StorageException e) {
      startAgain(e);
    } catch (WakeupException e) {
      throw e;
    } catch (TimeoutException e) {
      noBroker()
          .ifPresentOrElse(
              why -> waitFor(Waiting.BROKER, why), () -> waitFor(topic.missing(LOOK_TIMEOUT)));
      pause();
    } catch (KafkaException e) {
      waitFor(Waiting.ACCESS, Brokers.sentence(pipeline, e));
      pause();
    }
  }

  /** Why no broker can be reached; empty if one can be, or it cannot be told. */
  private Optional<String> noBroker() {
    try {
      return Brokers.fault(pipeline, LOOK_TIMEOUT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  /**
   * Whether the position is where the topic ended when that was asked last, which is done again now
   * and then, because a consumer does not tell whether nothing comes or nobody answers.
   */
  private boolean isRead(boolean hurried) {
    if (endReached && (hurried || System.nanoTime() - endAt > LOOK.toNanos())) {
      long asked = System.nanoTime();
      end = topic.end(LOOK_TIMEOUT);
      endAt = asked;
      endReached = false;
    }
    if (!endReached && topic.position() >= end) {
      endReached = true;
      readUpTo = OptionalLong.of(endAt);
      return true;
    }
    if (!endReached && (hurried || state.waiting() != Waiting.NOTHING)) {
      waitFor(Waiting.END);
    }
    return false;
  }

  /** The version that is on its way is read again: the disk may have room by then. */
  private void startAgain(StorageException problem) {
    if (!unstored) {
      unstored = true;
      refuse(RefusalReason.STORAGE, problem.getMessage() + "; it is tried again until it works");
    }
    discard();
    topic.seek(resume);
    endReached = true;
    pause();
  }

  private void discard() {
    try {
      assembler.discard();
    } catch (IOException e) {
      LOG.debug("What is half there cannot be deleted", e);
    }
  }

  private void pause() {
    lock.lock();
    try {
      if (!closing) {
        changed.awaitNanos(PAUSE.toNanos());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  private void waitFor(Waiting what) {
    String of = "topic " + topic.name();
    String detail =
        switch (what) {
          case BROKER -> "no broker answers at " + topic.bootstrap();
          case TOPIC -> of + " does not exist";
          case PARTITION ->
              of
                  + " has no partition of model "
                  + context.model().name()
                  + ": no job that trains it has been started";
          case END -> of + " is being read";
          case VERSION -> of + " holds no version of " + usable();
          default -> "";
        };
    waitFor(what, detail);
  }

  private String usable() {
    String none = "model " + context.model().name() + " that can be used";
    return lastRefusal == null ? none : none + "; the last one was refused: " + lastRefusal;
  }

  private void waitFor(Waiting what, String detail) {
    State next = new State(what, detail);
    if (next.equals(state)) {
      return;
    }
    state = next;
    if (what == Waiting.NOTHING || what == Waiting.END) {
      LOG.debug("Model {}: {} {}", context.model().name(), what, detail);
    } else {
      LOG.warn("Model {} waits: {}", context.model().name(), detail);
    }
    listeners.forEach(listener -> listener.waiting(what, detail));
  }

  /** Takes the version whose rows are on disk, if they are there and there is one. */
  private boolean reopen() throws IOException {
    if (rowCache == 0) {
      return false;
    }
    for (int i = 0; i < 2 && current == null; i++) {
      RowDatabase rows = newDatabase();
      Optional<LoadedModel> model = LoadedModel.reopened(context, rows, this::fits);
      if (model.isPresent()) {
        swap(model.get());
      }
    }
    return current != null;
  }

  /** A database for rows, beside that of the model in use; null if rows are held in memory. */
  private RowDatabase newDatabase() throws IOException {
    return rowCache == 0
        ? null
        : new RowDatabase(store.resolve("rows-" + databases++ % 2), rowCache, context);
  }

  /** Goes back to the beginning if that was asked for; the version to hold, if there is one. */
  private Pin takeTurn() {
    lock.lock();
    try {
      if (rewind) {
        rewind = false;
        topic.rewind();
        discard();
        chain = new Chain();
        endReached = true;
      }
      return pin;
    } finally {
      lock.unlock();
    }
  }

  /** Leaves on disk what a restart needs; between two versions, not for every piece of one. */
  private void tidy(Pin wanted) {
    try {
      leaveForRestart(wanted);
      untidy = false;
    } catch (IOException e) {
      if (!untidy) {
        untidy = true;
        LOG.warn("Model {}: its folder cannot be written", context.model().name(), e);
      }
    }
  }

  private void leaveForRestart(Pin wanted) throws IOException {
    Set<String> needed = new HashSet<>(held);
    if (chain != null) {
      chain.manifests().forEach(manifest -> needed.add(manifest.version()));
    }
    store.keep(needed);
    if (wanted == null && chain == null && topic.partition().isPresent()) {
      store.position(topic.partition().get(), topic.position());
    }
  }

  private void atEnd(Pin wanted) throws StorageException {
    if (wanted != null && !wanted.held.isDone()) {
      fail(wanted, "version " + wanted.version + " is not on the topic any more, or never was");
    }
    if (chain != null && wanted == null) {
      // All there is has been read, the newest of it is loaded at once.
      if (!chain.isEmpty() && isCurrent(chain.newest().version())) {
        publishedAgain(chain.newest());
      } else if (!chain.isEmpty()) {
        take(chain, null);
      }
      chain = null;
    }
    if (!readOnce) {
      lock.lock();
      try {
        readOnce = true;
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }
    waitFor(current == null ? Waiting.VERSION : Waiting.NOTHING);
  }

  /** Whether a message is of the version in use, of which no more than its name is wanted. */
  private boolean isOfCurrent(ModelRecord record, Pin wanted) {
    return !filed
        && chain == null
        && wanted == null
        && record.value() != null
        && isCurrent(record.version());
  }

  private void passOver(ModelRecord last, Pin wanted) {
    if (isOfCurrent(last, wanted) && last.index() != ModelRecord.MANIFEST) {
      topic.passOver(last);
    }
  }

  private void accept(ModelRecord record, Pin wanted) throws StorageException {
    Optional<Snapshot> snapshot;
    try {
      if (isOfCurrent(record, wanted)) {
        if (record.index() == ModelRecord.MANIFEST) {
          publishedAgain(Manifest.fromJson(record.value()));
        }
        return;
      }
      snapshot = assembler.accept(record);
    } catch (StorageException e) {
      throw e;
    } catch (IOException e) {
      refuse(RefusalReason.BROKEN, e.getMessage());
      return;
    }
    if (snapshot.isPresent() && fits(snapshot.get().manifest())) {
      accept(snapshot.get(), wanted);
    }
  }

  private void accept(Snapshot snapshot, Pin wanted) throws StorageException {
    if (chain == null) {
      if (wanted == null && isNews(snapshot.manifest())) {
        take(snapshot);
      } else if (wanted == null && isCurrent(snapshot.manifest().version())) {
        publishedAgain(snapshot.manifest());
      }
      return;
    }
    boolean linked = chain.add(snapshot);
    if (linked) {
      know(snapshot.manifest());
    }
    if (linked && wanted != null && snapshot.manifest().version().equals(wanted.version)) {
      take(chain, wanted);
      chain = null; // what comes after it is read when it is unpinned
    }
  }

  private boolean fits(Manifest manifest) {
    if (!manifest.schema().equals(context.schema().fingerprint())) {
      refuse(
          RefusalReason.OTHER_SCHEMA,
          "version "
              + manifest.version()
              + " is of other features: "
              + context.schema().differencesFrom(manifest.features()));
      return false;
    }
    if (!manifest.model().equals(context.model().name())
        || !manifest.settings().equals(ModelFingerprint.of(context))) {
      refuse(
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

  private boolean isCurrent(String version) {
    return current != null && current.manifest().version().equals(version);
  }

  /** Whether a version is newer than the one in use: after a restart some are read twice. */
  private boolean isNews(Manifest manifest) {
    return current == null
        || ModelVersion.parse(manifest.version())
                .compareTo(ModelVersion.parse(current.manifest().version()))
            > 0;
  }

  private void take(Snapshot snapshot) throws StorageException {
    Manifest manifest = snapshot.manifest();
    try {
      if (manifest.isDelta() && current == null) {
        LOG.debug("Version {} is left from before the oldest base", manifest.version());
      } else if (manifest.isDelta() && !current.isParentOf(manifest)) {
        refuse(
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
      refuse(RefusalReason.UNREADABLE, "version " + manifest.version() + ": " + e.getMessage());
    }
  }

  /** The version in use is on the topic as a base too; the next delta builds on that. */
  private void publishedAgain(Manifest manifest) throws StorageException {
    if (manifest.isDelta() || !current.manifest().isDelta()) {
      return;
    }
    try {
      current.becomeBase(manifest);
      hold(manifest);
    } catch (StorageException e) {
      throw e;
    } catch (IOException e) {
      refuse(RefusalReason.UNREADABLE, "version " + manifest.version() + ": " + e.getMessage());
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

  private void take(Chain whole, Pin wanted) throws StorageException {
    try {
      LoadedModel model = whole.load(context, newDatabase());
      whole.manifests().forEach(this::know);
      swap(model);
      if (wanted != null) {
        wanted.held.complete(model.manifest());
      } else {
        whole.manifests().forEach(this::hold);
      }
    } catch (StorageException e) {
      throw e;
    } catch (IOException e) {
      refuse(RefusalReason.UNREADABLE, e.getMessage());
      if (wanted != null) {
        fail(wanted, e.getMessage());
      }
    }
  }

  /** A pin that cannot be held is given up; the topic is read again and followed. */
  private void fail(Pin wanted, String why) {
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

  private void swap(LoadedModel next) {
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
    taken(next.manifest());
  }

  private void know(Manifest manifest) {
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

  private void taken(Manifest manifest) {
    know(manifest);
    unstored = false;
    lock.lock();
    try {
      swaps++;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    LOG.info("Model {} is now version {}", context.model().name(), manifest.version());
    listeners.forEach(listener -> listener.version(manifest));
    if (state.waiting() == Waiting.VERSION) {
      waitFor(Waiting.NOTHING);
    }
  }

  private void refuse(RefusalReason reason, String detail) {
    LOG.warn("Model {}: {} refused: {}", context.model().name(), reason.label(), detail);
    lastRefusal = reason.label() + ", " + detail;
    lock.lock();
    try {
      refused.merge(reason, 1L, Long::sum);
    } finally {
      lock.unlock();
    }
    listeners.forEach(listener -> listener.refused(reason, detail));
  }

  /** Tells {@code listener} of every version from now on. */
  public void listen(ReplicaListener listener) {
    listeners.add(listener);
  }

  /**
   * Holds a version that is still on the topic, older or newer than the one in use, until {@link
   * #unpin}. The version in use goes on until the other one is loaded.
   *
   * @return done when predictions are made by it; fails with {@link IllegalArgumentException} if
   *     the topic does not hold it, and following goes on then
   */
  public CompletableFuture<Manifest> pin(String version) {
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

  /**
   * Pins the version before the one in use.
   *
   * @throws IllegalStateException if there was none
   */
  public CompletableFuture<Manifest> rollBack() {
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

  /** Follows the newest version again. */
  public void unpin() {
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

  /** The version that is held, if one is. */
  public Optional<String> pinned() {
    lock.lock();
    try {
      return Optional.ofNullable(pin).map(Pin::version);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Scores impressions, all by the same version.
   *
   * @throws IllegalStateException if no version has arrived yet
   */
  public List<Prediction> predict(List<Impression> impressions) {
    LoadedModel model = lease();
    try {
      List<Prediction> scored = model.predict(impressions, fieldCounts);
      predictions.addAndGet(scored.size());
      return scored;
    } finally {
      model.release();
    }
  }

  private LoadedModel lease() {
    lock.lock();
    try {
      if (closing) {
        throw new IllegalStateException("the replica of " + context.model().name() + " is closed");
      }
      if (current == null || !current.lease()) {
        throw new IllegalStateException(
            "model " + context.model().name() + " has no version yet; see awaitVersion");
      }
      return current;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until the topic has been read to its end once and there is a version, so that the first
   * predictions are not made by an old one.
   *
   * @return whether there is a version
   */
  public boolean awaitVersion(Duration timeout) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    lock.lockInterruptibly();
    try {
      long left = timeout.toNanos();
      while (!(readOnce && current != null) && left > 0 && failure == null) {
        changed.awaitNanos(Math.min(left, TimeUnit.SECONDS.toNanos(1)));
        left = deadline - System.nanoTime();
      }
      return current != null;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Whether the topic has been read to its end within the last 30 seconds, so that the version in
   * use is the newest; false while no broker answers.
   */
  public boolean caughtUp() {
    return lagSeconds() <= CAUGHT_UP.toSeconds();
  }

  /**
   * Seconds since everything on the topic was known to be read, which grows while no broker
   * answers; NaN before the first time.
   */
  public double lagSeconds() {
    OptionalLong upTo = readUpTo;
    return upTo.isPresent() ? (System.nanoTime() - upTo.getAsLong()) / 1e9 : Double.NaN;
  }

  /** What is waited for. */
  public State state() {
    return state;
  }

  /** The manifest of the version in use. */
  public Optional<Manifest> manifest() {
    lock.lock();
    try {
      return Optional.ofNullable(current).map(LoadedModel::manifest);
    } finally {
      lock.unlock();
    }
  }

  /** Seconds since the version in use was published; NaN before the first. */
  public double stalenessSeconds() {
    return manifest().map(m -> (clock.millis() - m.publishedAt()) / 1000.0).orElse(Double.NaN);
  }

  /**
   * Freshness: seconds since the newest event that the version in use has learnt from was produced,
   * by Kafka's clock; NaN before the first version, and for one whose manifest does not say.
   */
  public double newestEventAgeSeconds() {
    OptionalLong produced = manifest().map(Manifest::producedUpTo).orElse(OptionalLong.empty());
    return produced.isPresent() ? (clock.millis() - produced.getAsLong()) / 1000.0 : Double.NaN;
  }

  /** Versions taken so far. */
  public long swaps() {
    lock.lock();
    try {
      return swaps;
    } finally {
      lock.unlock();
    }
  }

  /** Versions refused so far, by reason. */
  public Map<RefusalReason, Long> refused() {
    lock.lock();
    try {
      return Map.copyOf(refused);
    } finally {
      lock.unlock();
    }
  }

  /** Impressions scored so far. */
  public long predictions() {
    return predictions.get();
  }

  /** How often a field of what was scored was absent, or had a value that has no row. */
  public FieldCounts fieldCounts() {
    return fieldCounts;
  }

  /** Why following ended by itself, if it did. */
  public Optional<RuntimeException> failure() {
    return Optional.ofNullable(failure);
  }

  /**
   * Stops following. Weights are freed when the last prediction is done, and whatever is being
   * taken, which is waited for up to 10 s, but not longer.
   */
  @Override
  public void close() {
    closing = true;
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    topic.wakeup();
    try {
      follower.join(TimeUnit.SECONDS.toMillis(10));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (!follower.isAlive()) {
      leave();
    }
  }

  /** Gives up the weights and the folder: nobody follows any more. */
  private void leave() {
    if (!left.compareAndSet(false, true)) {
      return;
    }
    LoadedModel last;
    lock.lock();
    try {
      last = current;
      current = null;
      if (pin != null) {
        pin.held.cancel(false);
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    discard();
    if (last == null) {
      leaveFolder();
    } else {
      last.retire(this::leaveFolder);
    }
  }

  private void leaveFolder() {
    try {
      store.close();
    } catch (IOException e) {
      LOG.warn("The folder of model {} cannot be left", context.model().name(), e);
    }
  }
}
