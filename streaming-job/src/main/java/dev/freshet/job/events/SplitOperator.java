package dev.freshet.job.events;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.events.RejectReason;
import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.events.SourcePositionCodec;
import dev.freshet.core.events.SourcePositions;
import dev.freshet.job.codec.CodecTypeInfo;
import dev.freshet.job.metrics.EventMetrics;
import dev.freshet.job.metrics.MetricLabel;
import dev.freshet.job.metrics.MetricStep;
import dev.freshet.job.metrics.StepMetrics;
import java.io.Serializable;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.metrics.Counter;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.util.OutputTag;

/**
 * Takes a source's events apart: events go on, dead letters to the side, both are counted.
 *
 * <p>Before a checkpoint's barrier the positions of the partitions that moved since the last one
 * leave to the side. They reach a trainer before the barrier does, whose version of this checkpoint
 * so names just what the checkpoint's sources have read. Nothing of this is state: trainers keep
 * what they were told.
 */
public final class SplitOperator<T extends Serializable> extends AbstractStreamOperator<T>
    implements OneInputStreamOperator<SourceEvent<T>, T>, BoundedOneInput {

  /** Where dead letters leave. */
  public static final OutputTag<DeadLetter> DEAD_LETTERS =
      new OutputTag<>(
          "dead-letters", new CodecTypeInfo<>(DeadLetter.class, new DeadLetterCodec(), true));

  /** Where positions leave. */
  public static final OutputTag<SourcePosition> POSITIONS =
      new OutputTag<>(
          "positions", new CodecTypeInfo<>(SourcePosition.class, new SourcePositionCodec(), true));

  private transient Counter accepted;
  private transient Map<String, Counter> rejected;
  private transient Counter passedOver;
  private transient SourcePositions moved;

  @Override
  public void open() throws Exception {
    super.open();
    StepMetrics metrics = StepMetrics.of(MetricStep.SPLIT, getMetricGroup());
    accepted = metrics.counter(EventMetrics.ACCEPTED);
    rejected = new HashMap<>();
    for (RejectReason reason : RejectReason.values()) {
      String label = reason.label();
      rejected.put(label, metrics.with(MetricLabel.REJECTED, label).counter(EventMetrics.REJECTED));
    }
    passedOver = metrics.counter(EventMetrics.PASSED_OVER);
    moved = new SourcePositions();
  }

  @Override
  public void processElement(StreamRecord<SourceEvent<T>> element) {
    SourceEvent<T> event = element.getValue();
    moved.add(event.position());
    if (event.event() != null) {
      accepted.inc();
      output.collect(element.replace(event.event()));
    } else if (event.rejected() != null) {
      DeadLetter letter = event.rejected();
      requireNonNull(rejected.get(letter.reason())).inc();
      output.collect(DEAD_LETTERS, element.replace(letter));
    } else {
      passedOver.inc();
    }
  }

  @Override
  public void prepareSnapshotPreBarrier(long checkpointId) {
    tellPositions();
  }

  @Override
  public void endInput() throws Exception {
    tellPositions();
    // A source that is idle when it is drained says that it is at the end of all time, and Flink
    // leaves that out because the source is idle: the last windows would never close.
    processWatermarkStatus(WatermarkStatus.ACTIVE);
    processWatermark(Watermark.MAX_WATERMARK);
  }

  private void tellPositions() {
    for (SourcePosition position : moved.list()) {
      output.collect(POSITIONS, new StreamRecord<>(position));
    }
    moved.clear();
  }
}
