package dev.freshet.job.labels;

import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.job.MetricNames;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;

/**
 * How long feedback takes, from the parent's event to a task's first: of settled labels, one
 * counter for each bucket and task. Buckets are fixed, so that counters of subtasks and of runs add
 * up, and a share of any of them is a share of the whole.
 */
final class DelayCounters {

  private enum Bucket {
    UP_TO_1M(Duration.ofMinutes(1)),
    UP_TO_10M(Duration.ofMinutes(10)),
    UP_TO_1H(Duration.ofHours(1)),
    UP_TO_6H(Duration.ofHours(6)),
    UP_TO_1D(Duration.ofDays(1)),
    UP_TO_7D(Duration.ofDays(7)),
    UP_TO_30D(Duration.ofDays(30)),
    LONGER(Duration.ofMillis(Long.MAX_VALUE));

    private final long limit;

    Bucket(Duration limit) {
      this.limit = limit.toMillis();
    }

    /** For example {@code upTo1h}. */
    String label() {
      return this == LONGER
          ? "longer"
          : "upTo" + name().substring("UP_TO_".length()).toLowerCase(Locale.ROOT);
    }

    static Bucket of(long delay) {
      for (Bucket bucket : values()) {
        if (delay <= bucket.limit) {
          return bucket;
        }
      }
      return LONGER;
    }
  }

  private final List<Counter[]> tasks = new ArrayList<>();

  DelayCounters(List<Task> chain, MetricGroup labels) {
    MetricGroup delays = labels.addGroup(MetricNames.DELAYS);
    for (Task task : chain) {
      MetricGroup of = delays.addGroup(task.name());
      Counter[] counters = new Counter[Bucket.values().length];
      for (Bucket bucket : Bucket.values()) {
        counters[bucket.ordinal()] = of.counter(bucket.label());
      }
      tasks.add(counters);
    }
  }

  void count(LabeledExample example) {
    for (int task = 0; task < example.labels().length; task++) {
      TaskLabel label = example.labels()[task];
      if (label.isFinal() && label.delay() >= 0) {
        tasks.get(task)[Bucket.of(label.delay()).ordinal()].inc();
      }
    }
  }
}
