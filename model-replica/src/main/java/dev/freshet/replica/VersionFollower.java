package dev.freshet.replica;

import static java.util.Objects.requireNonNull;
import static java.util.Objects.requireNonNullElse;

import dev.freshet.core.network.ModelContext;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.snapshot.Manifest;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.core.snapshot.SnapshotAssembler;
import dev.freshet.core.snapshot.SnapshotAssembler.Snapshot;
import dev.freshet.core.snapshot.StorageException;
import dev.freshet.replica.ServedVersion.Pin;
import dev.freshet.topics.Brokers;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads the model topic and takes each version that arrived whole, or the one that is pinned. */
final class VersionFollower implements Runnable {

  private static final Logger LOG = LoggerFactory.getLogger(VersionFollower.class);
  private static final Duration POLL = Duration.ofMillis(250);

  /** How often the broker is asked where the topic ends, and how long for an answer. */
  private static final Duration LOOK = Duration.ofSeconds(1);

  private static final Duration LOOK_TIMEOUT = Duration.ofSeconds(5);

  /** After a failure of Kafka or the disk. */
  private static final Duration PAUSE = Duration.ofSeconds(1);

  private final Pipeline pipeline;
  private final ModelContext context;
  private final ModelTopic topic;
  private final VersionStore store;
  private final SnapshotAssembler assembler;
  private final ServedVersion served;
  private final VersionIntake intake;
  private final ReplicaStatus status;
  private final Runnable ended;

  /** An end of the topic, and when that was its end; read when the position is there. */
  private long end;

  private long endAt;
  private boolean endReached = true;

  /** Where to begin again if a version cannot be put together for want of disk. */
  private long resume;

  /** How many versions had been taken when the disk was full: it is told once until the next. */
  private long fullAt = -1;

  private boolean untidy;
  private volatile @Nullable RuntimeException failure;

  /**
   * @param rowCache as in {@link ReplicaSettings}
   * @param ended called when following has ended, closed or failed
   */
  VersionFollower(
      Pipeline pipeline,
      ModelTopic topic,
      VersionStore store,
      long rowCache,
      ServedVersion served,
      ReplicaStatus status,
      Runnable ended) {
    this.pipeline = pipeline;
    this.topic = topic;
    this.store = store;
    this.served = served;
    this.status = status;
    this.ended = ended;
    context = pipeline.context(pipeline.model(topic.model()));
    assembler = store.assembler();
    intake = new VersionIntake(context, store, rowCache, served, status);
  }

  /** Why following ended by itself, if it did. */
  Optional<RuntimeException> failure() {
    return Optional.ofNullable(failure);
  }

  @Override
  public void run() {
    try {
      warmStart();
      noBroker().ifPresent(why -> status.waitFor(Waiting.BROKER, why));
      while (!served.closing()) {
        follow();
      }
    } catch (WakeupException e) {
      LOG.debug("Woken up to close");
    } catch (RuntimeException e) {
      LOG.error("Replica of {} stops following", context.model().name(), e);
      failure = e;
    } finally {
      topic.close();
      ended.run();
    }
  }

  private void warmStart() {
    try {
      intake.warmStart();
      if (served.current() != null && store.resume(topic)) {
        intake.takeEach();
      }
    } catch (IOException e) {
      LOG.warn("Model {} starts without its folder", context.model().name(), e);
    }
  }

  private void follow() {
    try {
      Pin wanted = takeTurn();
      if (!topic.find()) {
        status.waitFor(Waiting.PARTITION);
        served.pause(PAUSE);
        return;
      }
      if (!assembler.pending()) {
        resume = topic.position();
      }
      List<ModelRecord> records = topic.poll(POLL);
      for (ModelRecord record : records) {
        if (served.closing()) {
          return;
        }
        accept(record, wanted);
      }
      if (!records.isEmpty()) {
        passOver(records.get(records.size() - 1), wanted);
      }
      boolean hurried = !served.readOnce() || intake.collects();
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
              why -> status.waitFor(Waiting.BROKER, why),
              () -> status.waitFor(topic.missing(LOOK_TIMEOUT)));
      served.pause(PAUSE);
    } catch (KafkaException e) {
      status.waitFor(Waiting.ACCESS, Brokers.sentence(pipeline, e));
      served.pause(PAUSE);
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
   * True if the position is where the topic ended when that was asked last, which is done again now
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
      status.readUpTo(endAt);
      return true;
    }
    if (!endReached && (hurried || status.state().waiting() != Waiting.NOTHING)) {
      status.waitFor(Waiting.END);
    }
    return false;
  }

  /** The version that is on its way is read again: the disk may have room by then. */
  private void startAgain(StorageException problem) {
    if (fullAt != served.swaps()) {
      fullAt = served.swaps();
      status.refuse(
          RefusalReason.STORAGE, problem.getMessage() + "; it is tried again until it works");
    }
    discard();
    topic.seek(resume);
    endReached = true;
    served.pause(PAUSE);
  }

  /** Deletes the parts of a version that is not whole. */
  void discard() {
    try {
      assembler.discard();
    } catch (IOException e) {
      LOG.debug("A version that is not whole cannot be deleted", e);
    }
  }

  /** Goes back to the beginning if that was asked for; the version to hold, if there is one. */
  private @Nullable Pin takeTurn() {
    ServedVersion.Turn turn = served.turn();
    if (turn.rewind()) {
      topic.rewind();
      discard();
      intake.collect();
      endReached = true;
    }
    return turn.pin();
  }

  /** Leaves on disk what a restart needs; between two versions, not for every piece of one. */
  private void tidy(@Nullable Pin wanted) {
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

  private void leaveForRestart(@Nullable Pin wanted) throws IOException {
    store.keep(intake.needed());
    if (wanted == null && !intake.collects() && topic.partition().isPresent()) {
      store.position(topic.partition().get(), topic.position());
    }
  }

  private void atEnd(@Nullable Pin wanted) throws StorageException {
    if (wanted != null && !wanted.held().isDone()) {
      served.fail(
          wanted, "version " + wanted.version() + " is not on the topic any more, or never was");
    }
    if (intake.collects() && wanted == null) {
      intake.takeNewest();
    }
    if (!served.readOnce()) {
      served.readToItsEnd();
    }
    status.waitFor(served.current() == null ? Waiting.VERSION : Waiting.NOTHING);
  }

  /** True if a message is of the version in use, of which no more than its name is wanted. */
  private boolean isOfCurrent(ModelRecord record, @Nullable Pin wanted) {
    return intake.passesOverCurrent()
        && wanted == null
        && record.value() != null
        && served.is(record.version());
  }

  private void passOver(ModelRecord last, @Nullable Pin wanted) {
    if (isOfCurrent(last, wanted) && last.index() != ModelRecord.MANIFEST) {
      topic.passOver(last);
    }
  }

  private void accept(ModelRecord record, @Nullable Pin wanted) throws StorageException {
    Optional<Snapshot> snapshot;
    try {
      if (isOfCurrent(record, wanted)) {
        if (record.index() == ModelRecord.MANIFEST) {
          intake.publishedAgain(Manifest.fromJson(requireNonNull(record.value(), "no deletion")));
        }
        return;
      }
      snapshot = assembler.accept(record);
    } catch (StorageException e) {
      throw e;
    } catch (IOException e) {
      status.refuse(RefusalReason.BROKEN, requireNonNullElse(e.getMessage(), e.toString()));
      return;
    }
    if (snapshot.isPresent()) {
      intake.accept(snapshot.get(), wanted);
    }
  }
}
