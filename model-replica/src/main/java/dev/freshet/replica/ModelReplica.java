package dev.freshet.replica;

import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.events.Impression;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.snapshot.Manifest;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
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
  private static final Duration CAUGHT_UP = Duration.ofSeconds(30);

  private final String model;
  private final ModelTopic topic;
  private final VersionStore store;
  private final Clock clock;
  private final ServedVersion served;
  private final ReplicaStatus status;
  private final VersionFollower follower;
  private final Thread thread;
  private final AtomicBoolean left = new AtomicBoolean();
  private final AtomicLong predictions = new AtomicLong();
  private final FieldCounts fieldCounts;

  /** State of a replica: what it waits for, and that in a sentence. */
  public record State(Waiting waiting, String detail) {}

  private ModelReplica(
      Pipeline pipeline, String model, VersionStore store, long rowCache, Clock clock) {
    this.model = model;
    this.store = store;
    this.clock = clock;
    fieldCounts =
        new FieldCounts(pipeline.schema().sent().stream().map(FeatureField::name).toList());
    topic = new ModelTopic(pipeline, model);
    served = new ServedVersion(model);
    status = new ReplicaStatus(model, topic);
    follower =
        new VersionFollower(pipeline, topic, store, rowCache, served, status, this::leaveIfClosing);
    thread = new Thread(follower, "replica-" + model);
    thread.setDaemon(true);
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
    return follow(pipeline, model, settings, Clock.systemUTC());
  }

  /**
   * The same, by a clock of the caller's: how old versions and events are is told by it.
   *
   * @throws IOException if the folder cannot be written, or another replica uses it
   */
  public static ModelReplica follow(
      Pipeline pipeline, String model, ReplicaSettings settings, Clock clock) throws IOException {
    VersionStore store =
        settings.folder() == null
            ? VersionStore.temporary()
            : VersionStore.in(settings.folder().resolve(model));
    ModelReplica replica = new ModelReplica(pipeline, model, store, settings.rowCache(), clock);
    replica.thread.start();
    return replica;
  }

  /** Tells {@code listener} of every version from now on. */
  public void listen(ReplicaListener listener) {
    status.listen(listener);
  }

  /**
   * Holds a version that is still on the topic, older or newer than the one in use, until {@link
   * #unpin}. The version in use goes on until the other one is loaded.
   *
   * @return done when predictions are made by it; fails with {@link IllegalArgumentException} if
   *     the topic does not hold it, and following goes on then
   */
  public CompletableFuture<Manifest> pin(String version) {
    return served.pin(version);
  }

  /**
   * Pins the version before the one in use.
   *
   * @throws IllegalStateException if there was none
   */
  public CompletableFuture<Manifest> rollBack() {
    return served.rollBack();
  }

  /** Follows the newest version again. */
  public void unpin() {
    served.unpin();
  }

  /** The version that is held, if one is. */
  public Optional<String> pinned() {
    return served.pinned();
  }

  /**
   * Scores impressions, all by the same version.
   *
   * @throws IllegalStateException if no version has arrived yet
   */
  public List<Prediction> predict(List<Impression> impressions) {
    LoadedModel model = served.lease();
    try {
      List<Prediction> scored = model.predict(impressions, fieldCounts);
      predictions.addAndGet(scored.size());
      return scored;
    } finally {
      model.release();
    }
  }

  /**
   * Waits until the topic has been read to its end once and there is a version, so that the first
   * predictions are not made by an old one.
   *
   * @return true if there is a version
   */
  public boolean awaitVersion(Duration timeout) throws InterruptedException {
    return served.await(timeout, () -> follower.failure().isPresent());
  }

  /**
   * True if the topic has been read to its end within the last 30 seconds, so that the version in
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
    return status.lagSeconds();
  }

  /** State: what is waited for. */
  public State state() {
    return status.state();
  }

  /** The manifest of the version in use. */
  public Optional<Manifest> manifest() {
    return served.manifest();
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
    return served.swaps();
  }

  /** Versions refused so far, by reason. */
  public Map<RefusalReason, Long> refused() {
    return status.refused();
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
    return follower.failure();
  }

  /**
   * Stops following. Weights are freed when the last prediction is done, and whatever is being
   * taken, which is waited for up to 10 s, but not longer.
   */
  @Override
  public void close() {
    served.close();
    topic.wakeup();
    try {
      thread.join(TimeUnit.SECONDS.toMillis(10));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (!thread.isAlive()) {
      leave();
    }
  }

  private void leaveIfClosing() {
    if (served.closing()) {
      leave();
    }
  }

  /** Gives up the weights and the folder: nobody follows any more. */
  private void leave() {
    if (!left.compareAndSet(false, true)) {
      return;
    }
    LoadedModel last = served.leave();
    follower.discard();
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
      LOG.warn("The folder of model {} cannot be left", model, e);
    }
  }
}
