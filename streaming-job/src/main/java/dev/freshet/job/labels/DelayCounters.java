package dev.freshet.job.labels;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.labels.DelayBucket;
import dev.freshet.core.labels.DropReason;
import dev.freshet.core.labels.DroppedEvent;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.job.metrics.JobMetric;
import dev.freshet.job.metrics.LabelMetrics;
import dev.freshet.job.metrics.MetricLabel;
import dev.freshet.job.metrics.StepMetrics;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.metrics.Counter;

/**
 * Delays of feedback, of final labels, one counter for each bucket and task: from the parent's
 * event to the task's first, and from the impression to it. Besides, how much of it comes after the
 * correction's waiting time, and how much after the window, where it is lost. All are counters,
 * which add up over subtasks; the two shares are gauges of one subtask's counters, each a fair
 * sample of the whole.
 */
final class DelayCounters {

  private final List<OfTask> tasks = new ArrayList<>();

  /** The counters of one task. */
  private static final class OfTask {
    private final long waiting;
    private final Counter[] sinceParent;
    private final Counter[] sinceImpression;
    private final Counter late;
    private final Counter lost;
    private long emitted;

    OfTask(Task task, StepMetrics metrics) {
      waiting = requireNonNull(task.waiting(), "tasks are resolved").toMillis();
      sinceParent = buckets(metrics, LabelMetrics.SINCE_PARENT);
      sinceImpression = buckets(metrics, LabelMetrics.SINCE_IMPRESSION);
      late = metrics.counter(LabelMetrics.LATE);
      lost = metrics.counter(LabelMetrics.LOST);
      metrics.gauge(LabelMetrics.SHARE_LATE, () -> share(late.getCount(), emitted));
      metrics.gauge(
          LabelMetrics.SHARE_LOST, () -> share(lost.getCount(), emitted + lost.getCount()));
    }

    private static Counter[] buckets(StepMetrics metrics, JobMetric metric) {
      Counter[] counters = new Counter[DelayBucket.values().length];
      for (DelayBucket bucket : DelayBucket.values()) {
        counters[bucket.ordinal()] =
            metrics.with(MetricLabel.BUCKET, bucket.label()).counter(metric);
      }
      return counters;
    }

    // Reporters want a number: NaN until there is something to take a share of.
    private static double share(long part, long all) {
      return all == 0 ? Double.NaN : (double) part / all;
    }
  }

  DelayCounters(List<Task> chain, StepMetrics labels) {
    for (Task task : chain) {
      tasks.add(new OfTask(task, labels.with(MetricLabel.TASK, task.name())));
    }
  }

  void count(LabeledExample example) {
    for (int task = 0; task < example.labels().length; task++) {
      TaskLabel label = example.labels()[task];
      if (label.isFinal() && label.delay() >= 0) {
        OfTask counters = tasks.get(task);
        long happened = example.emittedAt() - label.elapsed() + label.delay();
        long sinceShown = happened - example.impression().eventTime();
        counters.emitted++;
        counters.sinceParent[DelayBucket.of(label.delay()).ordinal()].inc();
        counters.sinceImpression[DelayBucket.of(sinceShown).ordinal()].inc();
        if (label.delay() > counters.waiting) {
          counters.late.inc();
        }
      }
    }
  }

  /** An event had no part in any label. */
  void dropped(DroppedEvent event) {
    if (event.reason() == DropReason.LATE && event.task() >= 0) {
      tasks.get(event.task()).lost.inc();
    }
  }
}
