package dev.freshet.replica;

import dev.freshet.core.events.Impression;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.publishing.Manifest;
import dev.freshet.core.publishing.ModelRecord;
import dev.freshet.core.publishing.SnapshotAssembler;
import dev.freshet.core.publishing.SnapshotAssembler.Snapshot;
import dev.freshet.core.publishing.SnapshotWriter;
import dev.freshet.core.training.ModelContext;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows one model on the model topic and always predicts with the newest version that arrived
 * whole. A version is loaded beside the one in use and swapped in at once; predictions under way
 * finish on the weights they began with. Whatever is wrong with a version, the last good one stays.
 * Thread-safe.
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

  private final ModelContext context;
  private final ModelTopic topic;
  private final Clock clock;
  private final SnapshotAssembler assembler = new SnapshotAssembler();
  private final Thread follower;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Map<RefusalReason, Long> refused = new EnumMap<>(RefusalReason.class);
  private final AtomicLong predictions = new AtomicLong();
  private LoadedModel current;
  private long swaps;
  private volatile boolean caughtUp;
  private volatile boolean closing;
  private volatile RuntimeException failure;

  private ModelReplica(Pipeline pipeline, String model, Clock clock) {
    context = pipeline.context(pipeline.model(model));
    topic = new ModelTopic(pipeline, model);
    this.clock = clock;
    follower = new Thread(this::run, "replica-" + model);
    follower.setDaemon(true);
  }

  /** Starts to follow a model of the pipeline. */
  public static ModelReplica follow(Pipeline pipeline, String model) {
    ModelReplica replica = new ModelReplica(pipeline, model, Clock.systemUTC());
    replica.follower.start();
    return replica;
  }

  private void run() {
    try {
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
    }
  }

  private void follow() {
    try {
      for (ModelRecord record : topic.poll(POLL)) {
        accept(record);
      }
      if (!caughtUp && topic.atEnd()) {
        caughtUp();
      }
    } catch (RetriableException e) {
      LOG.warn("Model {}: Kafka does not answer, trying again", context.model().name(), e);
    }
  }

  private void caughtUp() {
    lock.lock();
    try {
      caughtUp = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void accept(ModelRecord record) {
    Optional<Snapshot> snapshot;
    try {
      snapshot = assembler.accept(record);
    } catch (IOException e) {
      refuse(RefusalReason.BROKEN, e.getMessage());
      return;
    }
    snapshot.ifPresent(this::take);
  }

  private void take(Snapshot snapshot) {
    Manifest manifest = snapshot.manifest();
    if (!manifest.schema().equals(context.schema().fingerprint())) {
      refuse(RefusalReason.OTHER_SCHEMA, "version " + manifest.version());
      return;
    }
    if (!manifest.model().equals(context.model().name())
        || !manifest.settings().equals(SnapshotWriter.settingsFingerprint(context))) {
      refuse(RefusalReason.OTHER_MODEL, "version " + manifest.version());
      return;
    }
    try {
      swap(new LoadedModel(context, snapshot));
    } catch (IOException e) {
      refuse(RefusalReason.UNREADABLE, "version " + manifest.version() + ": " + e.getMessage());
    }
  }

  private void swap(LoadedModel next) {
    LoadedModel previous;
    lock.lock();
    try {
      previous = current;
      current = next;
      swaps++;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    LOG.info("Model {} is now version {}", context.model().name(), next.manifest().version());
    if (previous != null) {
      previous.release();
    }
  }

  private void refuse(RefusalReason reason, String detail) {
    LOG.warn("Model {}: {} refused: {}", context.model().name(), reason.label(), detail);
    lock.lock();
    try {
      refused.merge(reason, 1L, Long::sum);
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
      List<Prediction> scored = model.predict(impressions);
      predictions.addAndGet(scored.size());
      return scored;
    } finally {
      model.release();
    }
  }

  private LoadedModel lease() {
    lock.lock();
    try {
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
      while (!(caughtUp && current != null) && left > 0 && failure == null) {
        changed.awaitNanos(Math.min(left, TimeUnit.SECONDS.toNanos(1)));
        left = deadline - System.nanoTime();
      }
      return current != null;
    } finally {
      lock.unlock();
    }
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

  /** Why following ended by itself, if it did. */
  public Optional<RuntimeException> failure() {
    return Optional.ofNullable(failure);
  }

  @Override
  public void close() {
    closing = true;
    topic.wakeup();
    try {
      follower.join(TimeUnit.SECONDS.toMillis(10));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    lock.lock();
    try {
      if (current != null) {
        current.release();
        current = null;
      }
    } finally {
      lock.unlock();
    }
  }
}
