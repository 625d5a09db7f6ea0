package dev.freshet.job.labels;

import dev.freshet.core.labels.PendingImpression;
import dev.freshet.core.labels.PendingImpressionCodec;
import dev.freshet.job.metrics.LabelMetrics;
import dev.freshet.job.metrics.StepMetrics;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.flink.runtime.state.FunctionInitializationContext;

/**
 * How many impressions wait, and how many bytes the value of one takes in state: a moving mean over
 * every {@value #EVERY}th that is written. Key, timer and what the backend adds or compresses come
 * on top. The count is a {@link KeptCount}.
 */
final class StateGauges {

  private static final int EVERY = 64;
  private static final double WEIGHT = 0.02;

  private final PendingImpressionCodec codec = new PendingImpressionCodec();
  private final CountingStream counting = new CountingStream();
  private final DataOutputStream out = new DataOutputStream(counting);
  private final KeptCount pending;
  private volatile double bytes;
  private long writes;

  /** Counts what is written to it. */
  private static final class CountingStream extends OutputStream {
    private long count;

    @Override
    public void write(int value) {
      count++;
    }

    @Override
    public void write(byte[] values, int from, int length) {
      count += length;
    }
  }

  StateGauges(FunctionInitializationContext context) throws Exception {
    pending = new KeptCount("pending-count", context);
  }

  void snapshot() throws Exception {
    pending.snapshot();
  }

  void register(StepMetrics metrics) {
    pending.register(metrics, LabelMetrics.PENDING_IMPRESSIONS);
    metrics.gauge(LabelMetrics.STATE_BYTES_PER_IMPRESSION, () -> bytes);
  }

  /** A value was written under a key that had none, or had one. */
  void wrote(PendingImpression value, boolean isNew) throws IOException {
    if (isNew) {
      pending.add(1);
    }
    if (writes++ % EVERY == 0) {
      counting.count = 0;
      codec.write(value, out);
      bytes = bytes == 0 ? counting.count : bytes + WEIGHT * (counting.count - bytes);
    }
  }

  /** The value under a key that had one is gone. */
  void cleared() {
    pending.add(-1);
  }

  long pending() {
    return pending.count();
  }

  double bytes() {
    return bytes;
  }
}
