package dev.freshet.job.events;

import dev.freshet.core.labels.LabelSettings;
import java.io.Serializable;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;

/**
 * Watermarks a fixed disorder behind the newest event of each partition. Dead letters have no event
 * time and move nothing. A partition that is read to its end is left out after a while by its
 * {@link WatchedReader}, or one quiet topic would hold every label back; sources wait for one
 * another, or a backlog in one would fill the join's state.
 */
public final class EventWatermarks<T extends Serializable>
    implements WatermarkGenerator<SourceEvent<T>> {

  private static final String GROUP = "events";
  private static final Duration ALIGN_EVERY = Duration.ofMillis(200);

  private final long disorder;
  private long newest = Long.MIN_VALUE;
  private long told = Long.MIN_VALUE;

  EventWatermarks(long disorder) {
    this.disorder = disorder;
  }

  /** The strategy for a source. */
  public static <T extends Serializable> WatermarkStrategy<SourceEvent<T>> strategy(
      LabelSettings settings) {
    long disorder = settings.disorder().toMillis();
    return WatermarkStrategy.<SourceEvent<T>>forGenerator(
            context -> new EventWatermarks<>(disorder))
        .withTimestampAssigner((event, recordTime) -> event.eventTime())
        .withWatermarkAlignment(GROUP, settings.sourceDrift(), ALIGN_EVERY);
  }

  @Override
  public void onEvent(SourceEvent<T> event, long eventTime, WatermarkOutput output) {
    newest = Math.max(newest, eventTime);
  }

  @Override
  public void onPeriodicEmit(WatermarkOutput output) {
    // Each watermark makes an idle partition active again, so there is none without news.
    if (newest > told) {
      told = newest;
      output.emitWatermark(new Watermark(newest - disorder - 1));
    }
  }
}
