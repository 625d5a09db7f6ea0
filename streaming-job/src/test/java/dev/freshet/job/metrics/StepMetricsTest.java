package dev.freshet.job.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class StepMetricsTest {

  private final TestingMetricGroup group = new TestingMetricGroup();
  private final StepMetrics split = StepMetrics.of(MetricStep.SPLIT, group);
  private final StepMetrics model =
      StepMetrics.of(MetricStep.TRAINING, group).with(MetricLabel.MODEL, "main");

  @Test
  void registersWhatTheMenuSays() {
    split.counter(EventMetrics.ACCEPTED).inc();
    split.with(MetricLabel.REJECTED, "too-large").counter(EventMetrics.REJECTED).inc(3);
    model.gauge(TrainingMetrics.STEPS, () -> 7);
    assertThat(group.counters().get("events.accepted").getCount()).isEqualTo(1);
    assertThat(group.counters().get("events.reason.too-large.rejected").getCount()).isEqualTo(3);
    assertThat(group.gauges().get("training.model.main.steps").getValue()).isEqualTo(7);
    assertThat(TrainingMetrics.STEPS.uiName()).isEqualTo("training.model.<model>.steps");
    assertThat(TrainingMetrics.STEPS.prometheusName())
        .isEqualTo("flink_taskmanager_job_task_operator_training_model_steps");
  }

  @Test
  void refusesAnythingElse() {
    refused(() -> split.counter(LabelMetrics.EXAMPLES)); // of another step
    refused(() -> split.gauge(EventMetrics.ACCEPTED, () -> 1)); // a counter
    refused(() -> split.counter(EventMetrics.REJECTED)); // without its label
    refused(() -> split.with(MetricLabel.REJECTED, "ugly").counter(EventMetrics.REJECTED));
    refused(() -> split.with(MetricLabel.TASK, "click").counter(EventMetrics.ACCEPTED)); // with one
    assertThat(group.counters()).isEmpty();
    assertThat(group.gauges()).isEmpty();
  }

  private static void refused(Runnable registering) {
    assertThatThrownBy(registering::run).isInstanceOf(IllegalArgumentException.class);
  }
}
