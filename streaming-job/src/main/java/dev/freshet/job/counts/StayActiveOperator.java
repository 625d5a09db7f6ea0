package dev.freshet.job.counts;

import dev.freshet.job.labels.InterruptibleOperator;
import org.apache.flink.streaming.api.functions.co.KeyedCoProcessFunction;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;

/**
 * An operator that never says that it is idle.
 *
 * <p>The sources' streams are split for the counts, and meet again: the way through the counts is
 * the longer one, and impressions wait on it that the shorter one's watermark has passed. As long
 * as both are active, time where they meet waits for the longer one. When all sources fall silent
 * both are idle, and when one speaks again, or ends, the shorter way is active first, alone: time
 * would move past what is still on the other. An operator that stays active holds nothing back,
 * since every watermark of the shorter way comes through it as well.
 */
public final class StayActiveOperator<K, A, B, T> extends InterruptibleOperator<K, A, B, T> {

  public StayActiveOperator(KeyedCoProcessFunction<K, A, B, T> function) {
    super(function);
  }

  /** As the overridden one, but for what is told to the next operators. */
  @Override
  protected void processWatermarkStatus(WatermarkStatus status, int input) throws Exception {
    if (combinedWatermark.updateStatus(input, status.isIdle())) {
      processWatermark(new Watermark(combinedWatermark.getCombinedWatermark()));
    }
  }
}
