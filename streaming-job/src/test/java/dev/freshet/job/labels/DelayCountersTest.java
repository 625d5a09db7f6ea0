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
import dev.freshet.job.metrics.MetricStep;
import dev.freshet.job.metrics.StepMetrics;
import dev.freshet.job.metrics.TestingMetricGroup;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class DelayCountersTest {

  private static final long SHOWN = 1_767_225_600_000L;
  private static final long HOUR = 60 * 60 * 1000L;

  private static TaskLabel label(LabelKind kind, long delay) {
    // The parent's event came three hours after the impression, the label after five.
    return new TaskLabel(kind, delay >= 0 ? 1 : 0, 1, 2 * HOUR, delay, true);
  }

  @Test
  void settledLabelsAreCountedByBucketAndTask() {
    TestingMetricGroup group = new TestingMetricGroup();
    DelayCounters delays =
        new DelayCounters(
            TestingPipelines.shop().tasks(), StepMetrics.of(MetricStep.LABELS, group));
    assertThat(group.counters())
        .hasSize(3 * (8 + 8 + 2))
        .containsKey("labels.task.purchase.bucket.upTo7d.sinceParent");
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
    group
        .counters()
        .forEach(
            (name, counter) -> {
              if (counter.getCount() > 0) {
                counted.put(name, counter.getCount());
              }
            });
    assertThat(counted)
        .isEqualTo(
            Map.of(
                "labels.task.click.bucket.upTo1m.sinceParent", 2L,
                "labels.task.purchase.bucket.upTo10m.sinceParent", 1L,
                "labels.task.purchase.lost", 1L,
                "labels.task.revenue.bucket.longer.sinceParent", 1L,
                "labels.task.revenue.late", 1L,
                "labels.task.click.bucket.upTo6h.sinceImpression", 2L,
                "labels.task.purchase.bucket.upTo6h.sinceImpression", 1L,
                "labels.task.revenue.bucket.longer.sinceImpression", 1L));
    assertThat(group.gauges().get("labels.task.click.shareLate").getValue()).isEqualTo(0.0);
    assertThat(group.gauges().get("labels.task.revenue.shareLate").getValue()).isEqualTo(1.0);
    assertThat(group.gauges().get("labels.task.purchase.shareLost").getValue()).isEqualTo(0.5);
  }
}
