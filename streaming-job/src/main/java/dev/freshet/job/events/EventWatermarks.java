package dev.freshet.job.events;

import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.labels.LabelSettings;
import dev.freshet.job.metrics.EventMetrics;
import dev.freshet.job.metrics.MetricStep;
import dev.freshet.job.metrics.StepMetrics;
import java.io.Serializable;
import java.time.Duration;
import java.time.Instant;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkGeneratorSupplier;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.metrics.Counter;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watermarks a fixed disorder behind the {@link PartitionClock} of each partition. Dead letters
 * have no event time and move nothing. A partition that is read to its end is left out after a
 * while by its {@link WatchedReader}, or one quiet topic would hold every label back; sources wait
 * for one another, or a backlog in one would fill the join's state.
 */
public final class EventWatermarks<T extends Serializable>
    implements WatermarkGenerator<SourceEvent<T>> {

  private static final Logger LOG = LoggerFactory.getLogger(EventWatermarks.class);
  private static final String GROUP = "events";
  private static final Duration ALIGN_EVERY = Duration.ofMillis(200);

  private final long disorder;
  private final PartitionClock clock;
  private final Counter jumps;
  private long told = PartitionClock.NONE;
  private boolean jumped;

  /**
   * @param jumps counts events that are too far ahead of their partition to move its time
   */
  EventWatermarks(LabelSettings settings, Counter jumps) {
    disorder = settings.disorder().toMillis();
    clock = new PartitionClock(settings.maxAhead().toMillis());
    this.jumps = jumps;
  }

  /** The strategy for a source. */
  public static <T extends Serializable> WatermarkStrategy<SourceEvent<T>> strategy(
      LabelSettings settings) {
    return new Strategy<T>(settings)
        .withTimestampAssigner((event, recordTime) -> event.eventTime())
        .withWatermarkAlignment(GROUP, settings.sourceDrift(), ALIGN_EVERY);
  }

  @Override
  public void onEvent(SourceEvent<T> event, long eventTime, WatermarkOutput output) {
    if (eventTime == SourceEvent.NO_TIME || clock.see(eventTime)) {
      return;
    }
    jumps.inc();
    if (!jumped) {
      jumped = true;
      SourcePosition position = event.position();
      LOG.warn(
          "The event before offset {} of {}-{} says {}, far ahead of those around it: time does not"
              + " follow until others do. Further ones of this partition are only counted",
          position.offset(),
          position.topic(),
          position.partition(),
          Instant.ofEpochMilli(eventTime));
    }
  }

  @Override
  public void onPeriodicEmit(WatermarkOutput output) {
    // Each watermark makes an idle partition active again, so there is none without news.
    if (clock.time() > told) {
      told = clock.time();
      output.emitWatermark(new Watermark(told - disorder - 1));
    }
  }

  /** One for each source task; the partitions of a task share its counter. */
  private static final class Strategy<T extends Serializable>
      implements WatermarkStrategy<SourceEvent<T>> {
    private static final long serialVersionUID = 1;

    private final LabelSettings settings;
    private transient @Nullable Counter jumps;

    Strategy(LabelSettings settings) {
      this.settings = settings;
    }

    @Override
    public WatermarkGenerator<SourceEvent<T>> createWatermarkGenerator(
        WatermarkGeneratorSupplier.Context context) {
      if (jumps == null) {
        jumps =
            StepMetrics.of(MetricStep.SOURCE, context.getMetricGroup()).counter(EventMetrics.JUMPS);
      }
      return new EventWatermarks<>(settings, jumps);
    }
  }
}
