package dev.freshet.job.events;

import static java.util.Objects.requireNonNull;

import dev.freshet.job.metrics.EventMetrics;
import dev.freshet.job.metrics.MetricStep;
import dev.freshet.job.metrics.StepMetrics;
import java.io.Serializable;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.metrics.MetricGroup;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A reader of Kafka partitions that tells which of them no longer hold the watermark back: those
 * that the {@link EndWatch} has found at rest. A partition whose splits are paused, because it is
 * ahead of others, is never told idle: it could not wake up. A reader without any partition is idle
 * once the {@link WatchedEnumerator} says that there is none for it.
 */
final class WatchedReader<T extends Serializable>
    implements SourceReader<SourceEvent<T>, KafkaPartitionSplit> {

  private static final Logger LOG = LoggerFactory.getLogger(WatchedReader.class);

  private final SourceReader<SourceEvent<T>, KafkaPartitionSplit> reader;
  private final Duration idleAfter;
  private final EndWatch watch;
  private final Map<String, Split> splits = new LinkedHashMap<>();
  private volatile CompletableFuture<Void> wakeUp = new CompletableFuture<>();
  private volatile boolean news;
  private volatile int idle;
  private @Nullable CompletableFuture<Void> data;
  private boolean assigned;
  private boolean restless = true;
  private @Nullable Output output;

  /** A partition as the reader's own thread knows it. */
  private static final class Split {
    private final WatchedPartition partition;
    private boolean paused;
    private boolean idle;

    Split(WatchedPartition partition) {
      this.partition = partition;
    }
  }

  /**
   * @param watch makes the watch, which calls what it is given when there is news
   */
  WatchedReader(
      SourceReader<SourceEvent<T>, KafkaPartitionSplit> reader,
      Duration idleAfter,
      MetricGroup metrics,
      Function<Runnable, EndWatch> watch) {
    this.reader = reader;
    this.idleAfter = idleAfter;
    this.watch = watch.apply(this::wakeUp);
    StepMetrics.of(MetricStep.SOURCE, metrics).gauge(EventMetrics.IDLE_PARTITIONS, () -> idle);
  }

  @Override
  public void start() {
    reader.start();
    watch.start();
  }

  @Override
  public void addSplits(List<KafkaPartitionSplit> added) {
    for (KafkaPartitionSplit split : added) {
      WatchedPartition partition = new WatchedPartition(split);
      splits.put(split.splitId(), new Split(partition));
      watch.add(partition);
    }
    reader.addSplits(added);
    wakeUp();
  }

  @Override
  public void handleSourceEvents(org.apache.flink.api.connector.source.SourceEvent event) {
    if (event instanceof WatchedEnumerator.Assigned) {
      assigned = true;
      wakeUp();
    } else {
      reader.handleSourceEvents(event);
    }
  }

  @Override
  public InputStatus pollNext(ReaderOutput<SourceEvent<T>> to) throws Exception {
    if (output == null || output.to != to) {
      output = new Output(to);
    }
    if (news) {
      news = false;
      wakeUp = new CompletableFuture<>();
      tellIdleness(to);
    }
    return reader.pollNext(output);
  }

  private void tellIdleness(ReaderOutput<SourceEvent<T>> to) {
    int count = 0;
    for (Split split : splits.values()) {
      SourceOutput<SourceEvent<T>> of = to.createOutputForSplit(split.partition.splitId());
      if (split.partition.atRest() && !split.paused) {
        if (!split.idle) {
          LOG.warn(
              "Partition {} is read to its end and has been silent for {}: it no longer holds the"
                  + " watermark back, and what is written to it now may come late",
              split.partition.partition(),
              idleAfter);
        }
        split.idle = true;
        of.markIdle(); // Again each time: a watermark on its way may have ended it.
        count++;
      } else if (split.idle) {
        wake(split, of, to);
      }
    }
    idle = count;
    if (count == splits.size() && (count > 0 || assigned)) {
      to.markIdle();
      restless = false;
    }
  }

  private void wake(Split split, SourceOutput<SourceEvent<T>> of, ReaderOutput<SourceEvent<T>> to) {
    LOG.info("Partition {} holds the watermark back again", split.partition.partition());
    split.idle = false;
    idle = (int) splits.values().stream().filter(s -> s.idle).count();
    of.markActive();
    if (!restless) {
      // Flink takes the whole reader for idle until the watermark of its partitions grows.
      to.markActive();
      restless = true;
    }
  }

  private void wakeUp() {
    news = true;
    wakeUp.complete(null);
  }

  @Override
  public CompletableFuture<Void> isAvailable() {
    CompletableFuture<Void> available = reader.isAvailable();
    if (available.isDone()) {
      return available;
    }
    if (available != data) {
      data = available;
      available.whenComplete((done, error) -> wakeUp.complete(null));
    }
    CompletableFuture<Void> woken = wakeUp;
    if (!news && woken.isDone()) {
      woken = new CompletableFuture<>();
      wakeUp = woken;
    }
    // In this order: whoever came before the new future was in place is seen here.
    if (news || available.isDone()) {
      woken.complete(null);
    }
    return woken;
  }

  @Override
  public void pauseOrResumeSplits(Collection<String> pause, Collection<String> resume) {
    splits.forEach(
        (id, split) -> split.paused = (split.paused || pause.contains(id)) && !resume.contains(id));
    reader.pauseOrResumeSplits(pause, resume);
  }

  @Override
  public List<KafkaPartitionSplit> snapshotState(long checkpointId) {
    return reader.snapshotState(checkpointId);
  }

  @Override
  public void notifyCheckpointComplete(long checkpointId) throws Exception {
    reader.notifyCheckpointComplete(checkpointId);
  }

  @Override
  public void notifyCheckpointAborted(long checkpointId) throws Exception {
    reader.notifyCheckpointAborted(checkpointId);
  }

  @Override
  public void notifyNoMoreSplits() {
    reader.notifyNoMoreSplits();
  }

  @Override
  public void close() throws Exception {
    watch.close();
    reader.close();
  }

  /** Sees what leaves the reader, and where it was. */
  private final class Output implements ReaderOutput<SourceEvent<T>> {
    private final ReaderOutput<SourceEvent<T>> to;

    Output(ReaderOutput<SourceEvent<T>> to) {
      this.to = to;
    }

    @Override
    public SourceOutput<SourceEvent<T>> createOutputForSplit(String splitId) {
      return new OfSplit(requireNonNull(splits.get(splitId)), to.createOutputForSplit(splitId), to);
    }

    @Override
    public void releaseOutputForSplit(String splitId) {
      Split finished = requireNonNull(splits.remove(splitId));
      watch.remove(finished.partition);
      to.releaseOutputForSplit(splitId);
    }

    @Override
    public void collect(SourceEvent<T> event) {
      throw new IllegalStateException("an event that is of no partition");
    }

    @Override
    public void collect(SourceEvent<T> event, long timestamp) {
      collect(event);
    }

    @Override
    public void emitWatermark(Watermark watermark) {
      to.emitWatermark(watermark);
    }

    @Override
    public void markIdle() {
      to.markIdle();
    }

    @Override
    public void markActive() {
      to.markActive();
    }
  }

  private final class OfSplit implements SourceOutput<SourceEvent<T>> {
    private final Split split;
    private final SourceOutput<SourceEvent<T>> of;
    private final ReaderOutput<SourceEvent<T>> reader;

    OfSplit(Split split, SourceOutput<SourceEvent<T>> of, ReaderOutput<SourceEvent<T>> reader) {
      this.split = split;
      this.of = of;
      this.reader = reader;
    }

    @Override
    public void collect(SourceEvent<T> event) {
      moved(event);
      of.collect(event);
    }

    @Override
    public void collect(SourceEvent<T> event, long timestamp) {
      moved(event);
      of.collect(event, timestamp);
    }

    private void moved(SourceEvent<T> event) {
      if (event.event() == null && event.rejected() == null) {
        split.partition.passedOver(event.position().offset());
        return;
      }
      split.partition.moved(event.position().offset());
      if (split.idle) {
        wake(split, of, reader);
      }
    }

    @Override
    public void emitWatermark(Watermark watermark) {
      of.emitWatermark(watermark);
    }

    @Override
    public void markIdle() {
      of.markIdle();
    }

    @Override
    public void markActive() {
      of.markActive();
    }
  }
}
