package dev.freshet.job.labels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.events.Impression;
import dev.freshet.core.events.RawFeatures;
import dev.freshet.core.labels.DropReason;
import dev.freshet.core.labels.DroppedEvent;
import dev.freshet.core.labels.LabelKind;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.labels.TaskLabel;
import dev.freshet.core.pipeline.TestingPipelines;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.SimpleCounter;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.junit.jupiter.api.Test;

class DelayCountersTest {

  private static final long SHOWN = 1_767_225_600_000L;
  private static final long HOUR = 60 * 60 * 1000L;

  private final Map<String, Counter> counters = new TreeMap<>();
  private final Map<String, Gauge<?>> gauges = new TreeMap<>();

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
    public <T, G extends Gauge<T>> G gauge(String name, G gauge) {
      gauges.put(prefix + name, gauge);
      return gauge;
    }

    @Override
    public Counter counter(String name) {
      return counters.computeIfAbsent(prefix + name, key -> new SimpleCounter());
    }
  }

  private static TaskLabel label(LabelKind kind, long delay) {
    // The parent's event came three hours after the impression, the label after five.
    return new TaskLabel(kind, delay >= 0 ? 1 : 0, 1, 2 * HOUR, delay, true);
  }

  @Test
  void settledLabelsAreCountedByBucketAndTask() {
    DelayCounters delays = new DelayCounters(TestingPipelines.shop().tasks(), new Recorded(""));
    assertThat(counters).hasSize(3 * (8 + 8 + 2)).containsKey("delays.purchase.upTo7d");
    TaskLabel[][] told = {
      {label(LabelKind.FINAL, 60_000), label(LabelKind.FINAL, 60_001), TaskLabel.NONE},
      {label(LabelKind.FINAL, 0), label(LabelKind.FINAL, -1), label(LabelKind.FINAL, 1L << 40)},
      {label(LabelKind.FIRST, 5), label(LabelKind.LATE_COPY, 5), TaskLabel.NONE}
    };
    for (TaskLabel[] labels : told) {
      Impression impression =
          new Impression("i", SHOWN, new RawFeatures(new String[0][], new double[0]), null);
      delays.count(new LabeledExample(impression, SHOWN + 5 * HOUR, labels));
    }
    delays.dropped(new DroppedEvent(DropReason.LATE, "i", "e", 1, SHOWN, 1));
    delays.dropped(new DroppedEvent(DropReason.LATE, "i", "i", -1, SHOWN, Double.NaN));
    delays.dropped(new DroppedEvent(DropReason.ORPHANED, "i", "e", 1, SHOWN, 1));
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
                "delays.purchase.lost", 1L,
                "delays.revenue.longer", 1L,
                "delays.revenue.late", 1L,
                "sinceImpression.click.upTo6h", 2L,
                "sinceImpression.purchase.upTo6h", 1L,
                "sinceImpression.revenue.longer", 1L));
    assertThat(gauges.get("delays.click.shareLate").getValue()).isEqualTo(0.0);
    assertThat(gauges.get("delays.revenue.shareLate").getValue()).isEqualTo(1.0);
    assertThat(gauges.get("delays.purchase.shareLost").getValue()).isEqualTo(0.5);
  }
}
