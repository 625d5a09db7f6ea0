package dev.freshet.job.labels;

import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.streaming.api.functions.co.KeyedCoProcessFunction;
import org.apache.flink.streaming.api.operators.InternalTimeServiceManager;
import org.apache.flink.streaming.api.operators.co.KeyedCoProcessOperator;
import org.apache.flink.streaming.api.watermark.Watermark;

/**
 * A process function's operator whose timers let a checkpoint's barrier through.
 *
 * <p>One watermark may close thousands of windows, and what they tell may wait for minutes before a
 * slow trainer. After each timer the task looks for mail, as a barrier is that wants to go past
 * what is buffered; the rest is fired after it, and only then the watermark goes on. Between two
 * timers records may come whose key has timers that are due; functions have to see to them first.
 *
 * <p>Flink has the same ({@code RichFunction.useInterruptibleTimers}), but at a drain it ends what
 * is chained behind the operator before the rest is fired. The end of all time is not interrupted
 * here.
 */
public class InterruptibleOperator<K, A, B, T> extends KeyedCoProcessOperator<K, A, B, T> {

  private transient MailboxExecutor mailbox;
  private transient boolean interruptible;
  private transient boolean scheduled;
  private transient long reached;
  private transient long wanted;

  public InterruptibleOperator(KeyedCoProcessFunction<K, A, B, T> function) {
    super(function);
  }

  @Override
  public void setMailboxExecutor(MailboxExecutor executor) {
    super.setMailboxExecutor(executor);
    mailbox = executor;
  }

  @Override
  public void open() throws Exception {
    super.open();
    interruptible =
        CheckpointingOptions.isUnalignedCheckpointInterruptibleTimersEnabled(
            getContainingTask().getJobConfiguration());
    reached = Long.MIN_VALUE;
    wanted = Long.MIN_VALUE;
  }

  @Override
  public void processWatermark(Watermark mark) throws Exception {
    if (!interruptible) {
      super.processWatermark(mark);
      return;
    }
    wanted = Math.max(wanted, mark.getTimestamp());
    advance();
  }

  private void advance() throws Exception {
    if (wanted <= reached) {
      return;
    }
    InternalTimeServiceManager<?> timers = getTimeServiceManager().orElseThrow();
    Watermark mark = new Watermark(wanted);
    boolean last = wanted == Long.MAX_VALUE;
    if (timers.tryAdvanceWatermark(mark, () -> !last && mailbox.shouldInterrupt())) {
      reached = wanted;
      output.emitWatermark(mark);
    } else if (!scheduled) {
      scheduled = true;
      mailbox.execute(
          MailboxExecutor.MailOptions.deferrable(),
          () -> {
            scheduled = false;
            advance();
          },
          "fire the rest of the timers");
    }
  }
}
