package dev.freshet.job.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.SourcePosition;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class WatchedReaderTest {

  private static final TopicPartition FIRST = new TopicPartition("clicks", 0);
  private static final TopicPartition SECOND = new TopicPartition("clicks", 1);

  private final TestingEnds broker = new TestingEnds();
  private final AtomicLong nanos = new AtomicLong();
  private final TestingReader inner = new TestingReader();
  private final TestingOutput output = new TestingOutput("all");
  private EndWatch watch;
  private final WatchedReader<Feedback> reader =
      new WatchedReader<>(
          inner,
          Duration.ofSeconds(1),
          new UnregisteredMetricsGroup(),
          news -> watch = new EndWatch(() -> broker, Duration.ofSeconds(1), nanos::get, news));

  private void pass(double seconds) throws Exception {
    for (int i = 0; i < Math.round(seconds / 0.2); i++) {
      nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(200));
      watch.round();
      poll();
    }
  }

  /** As the operator does: polls while there is something. */
  private void poll() throws Exception {
    while (reader.isAvailable().isDone()) {
      reader.pollNext(output);
    }
  }

  private void add(TopicPartition partition, long end) {
    broker.end(partition, end);
    reader.addSplits(List.of(new KafkaPartitionSplit(partition, 0)));
  }

  @Test
  void tellsIdleWhatIsAtRestAndWakesItWithItsNextEvent() throws Exception {
    add(FIRST, 5);
    add(SECOND, 0);
    pass(2);
    assertThat(output.of(SECOND).idle).isTrue();
    assertThat(output.of(FIRST).idle).as("has unread messages").isFalse();
    assertThat(output.idle).isFalse();

    inner.emits(FIRST, 5);
    poll();
    pass(2);
    assertThat(output.of(FIRST).idle).isTrue();
    assertThat(output.idle).as("all partitions are").isTrue();

    broker.end(SECOND, 1);
    inner.emits(SECOND, 1);
    poll();
    assertThat(output.of(SECOND).idle).isFalse();
    assertThat(output.idle).as("one has data, of whatever time").isFalse();
    assertThat(output.of(FIRST).idle).isTrue();
  }

  @Test
  void whatIsPassedOverWakesNothing() throws Exception {
    add(FIRST, 0);
    pass(2);
    assertThat(output.idle).isTrue();
    for (int i = 1; i < 10; i++) {
      broker.end(FIRST, i);
      inner.passesOver(FIRST, i);
      poll();
      pass(0.2);
      assertThat(output.of(FIRST).idle).isTrue();
      assertThat(output.idle).isTrue();
    }
    broker.end(FIRST, 10);
    inner.emits(FIRST, 10);
    poll();
    assertThat(output.of(FIRST).idle).isFalse();
  }

  @Test
  void anOutageWakesAll() throws Exception {
    add(FIRST, 0);
    pass(2);
    assertThat(output.idle).isTrue();
    broker.away = true;
    pass(0.2);
    assertThat(output.of(FIRST).idle).isFalse();
    assertThat(output.idle).isFalse();
  }

  @Test
  void aPausedPartitionIsNotIdle() throws Exception {
    add(FIRST, 0);
    reader.pauseOrResumeSplits(List.of(inner.id(FIRST)), List.of());
    pass(2);
    assertThat(output.of(FIRST).idle).isFalse();
    reader.pauseOrResumeSplits(List.of(), List.of(inner.id(FIRST)));
    pass(0.2);
    assertThat(output.of(FIRST).idle).isTrue();
  }

  @Test
  void aReaderWithoutPartitionsIsIdleWhenNoneIsForIt() throws Exception {
    pass(5);
    assertThat(output.idle).as("the broker may be slow to be found").isFalse();
    reader.handleSourceEvents(new WatchedEnumerator.Assigned());
    poll();
    assertThat(output.idle).isTrue();

    add(FIRST, 1);
    inner.emits(FIRST, 1);
    poll();
    assertThat(output.of(FIRST).idle).isFalse();
  }

  @Test
  void aFinishedPartitionIsForgotten() throws Exception {
    add(FIRST, 1);
    inner.emits(FIRST, 1);
    poll();
    inner.finishes = inner.id(FIRST);
    reader.handleSourceEvents(new WatchedEnumerator.Assigned());
    poll();
    pass(2);
    assertThat(output.splits).isEmpty();
  }

  /** Emits what it is told to. */
  private static final class TestingReader
      implements SourceReader<SourceEvent<Feedback>, KafkaPartitionSplit> {
    private final Deque<SourceEvent<Feedback>> waiting = new ArrayDeque<>();
    private CompletableFuture<Void> available = new CompletableFuture<>();
    private String finishes;

    String id(TopicPartition partition) {
      return KafkaPartitionSplit.toSplitId(partition);
    }

    void emits(TopicPartition partition, long next) {
      add(new Feedback("i", "e", 0, 0, 1), partition, next);
    }

    void passesOver(TopicPartition partition, long next) {
      add(null, partition, next);
    }

    private void add(Feedback event, TopicPartition partition, long next) {
      SourcePosition position =
          new SourcePosition(partition.topic(), partition.partition(), next, 0);
      waiting.add(new SourceEvent<>(event, 0, null, position));
      available.complete(null);
    }

    @Override
    public InputStatus pollNext(ReaderOutput<SourceEvent<Feedback>> output) {
      if (finishes != null) {
        output.releaseOutputForSplit(finishes);
        finishes = null;
      }
      SourceEvent<Feedback> next = waiting.poll();
      if (next != null) {
        SourcePosition at = next.position();
        String split = id(new TopicPartition(at.topic(), at.partition()));
        output.createOutputForSplit(split).collect(next, 0);
      }
      if (waiting.isEmpty()) {
        available = new CompletableFuture<>();
      }
      return InputStatus.NOTHING_AVAILABLE;
    }

    @Override
    public CompletableFuture<Void> isAvailable() {
      return available;
    }

    @Override
    public void pauseOrResumeSplits(Collection<String> pause, Collection<String> resume) {}

    @Override
    public void start() {}

    @Override
    public List<KafkaPartitionSplit> snapshotState(long checkpointId) {
      return new ArrayList<>();
    }

    @Override
    public void addSplits(List<KafkaPartitionSplit> splits) {}

    @Override
    public void notifyNoMoreSplits() {}

    @Override
    public void close() {}
  }

  /** Remembers what is idle. */
  private static final class TestingOutput implements ReaderOutput<SourceEvent<Feedback>> {
    private final String name;
    private final Map<String, TestingOutput> splits = new HashMap<>();
    private boolean idle;

    TestingOutput(String name) {
      this.name = name;
    }

    TestingOutput of(TopicPartition partition) {
      return splits.get(KafkaPartitionSplit.toSplitId(partition));
    }

    @Override
    public SourceOutput<SourceEvent<Feedback>> createOutputForSplit(String splitId) {
      return splits.computeIfAbsent(splitId, TestingOutput::new);
    }

    @Override
    public void releaseOutputForSplit(String splitId) {
      splits.remove(splitId);
    }

    @Override
    public void collect(SourceEvent<Feedback> event) {}

    @Override
    public void collect(SourceEvent<Feedback> event, long timestamp) {}

    @Override
    public void emitWatermark(Watermark watermark) {}

    @Override
    public void markIdle() {
      idle = true;
    }

    @Override
    public void markActive() {
      idle = false;
    }

    @Override
    public String toString() {
      return name;
    }
  }
}
