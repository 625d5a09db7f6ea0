package dev.freshet.job.labels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.TestingPipelines;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.SimpleCounter;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.junit.jupiter.api.Test;

class DelayCountersTest {

  private final Map<String, Counter> counters = new TreeMap<>();

  /** Keeps every counter under its full name. */
  private final class Recorded extends UnregisteredMetricsGroup {
    private final String prefix;

    Recorded(String prefix) {
      this.prefix = prefix;
    }

    @Override
    public MetricGroup addGroup(String name) {
      return new Recorded(prefix + name + ".");
    }

    @Override
    public Counter counter(String name) {
      return counters.computeIfAbsent(prefix + name, key -> new SimpleCounter());
    }
  }

  private static TaskLabel label(LabelKind kind, long delay) {
    return new TaskLabel(kind, delay >= 0 ? 1 : 0, 1, 0, delay, true);
  }

  @Test
  void settledLabelsAreCountedByBucketAndTask() {
    DelayCounters delays = new DelayCounters(TestingPipelines.shop().tasks(), new Recorded(""));
    assertThat(counters).hasSize(3 * 8).containsKey("delays.purchase.upTo7d");
    TaskLabel[][] told = {
      {label(LabelKind.FINAL, 60_000), label(LabelKind.FINAL, 60_001), TaskLabel.NONE},
      {label(LabelKind.FINAL, 0), label(LabelKind.FINAL, -1), label(LabelKind.FINAL, 1L << 40)},
      {label(LabelKind.FIRST, 5), label(LabelKind.LATE_COPY, 5), TaskLabel.NONE}
    };
    for (TaskLabel[] labels : told) {
      delays.count(new LabeledExample(null, 0, labels));
    }
    Map<String, Long> counted = new TreeMap<>();
    counters.forEach(
        (name, counter) -> {
          if (counter.getCount() > 0) {
            counted.put(name, counter.getCount());
          }
        });
    assertThat(counted)
        .isEqualTo(
            Map.of(
                "delays.click.upTo1m", 2L,
                "delays.purchase.upTo10m", 1L,
                "delays.revenue.longer", 1L));
  }
}
