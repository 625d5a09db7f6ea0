package dev.freshet.job.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Makes {@code docs/metrics.md} from the menu, and fails when the committed one is stale. To write
 * it: {@code -Dgolden.write=true}. That a running job tells just these is proven by MetricsITCase.
 */
class MetricsReferenceTest {

  private static final Path PAGE = Path.of("..", "docs", "metrics.md");

  @Test
  void theReferencePageIsCurrent() throws IOException {
    StringBuilder page =
        new StringBuilder(
            """
            # Metrics of the job

            Generated from the menus that register them (`JobMetric`); tests keep it current, and compare it with what a running job tells. Flink has
            [metrics of its own](https://nightlies.apache.org/flink/flink-docs-release-2.3/docs/ops/metrics/) beside these; those of scoring servers are in
            [serving.md](serving.md#metrics). [Dashboards and alerts](monitoring.md) are made of all three.

            In Prometheus every name here begins with `flink_taskmanager_job_task_operator_`; in Flink's web UI it is written with dots, with the value of
            each label behind the label's name (`training.model.main.steps`). Beside the labels that are named here each series has Flink's own, such as
            `job_name`, `operator_name` and `subtask_index`. Counters start at 0 when their task does, and Prometheus sees them as gauges, so ask for `rate` or
            `increase`. Counters and gauges that count add up over subtasks.
            A histogram is a summary there: quantiles of the newest 1,024 values under its name by the label `quantile`, and under its name with `_count` how many
            there were. Figures of quality are over the newest `training.scoring.window` labels, each against the prediction that was made before anything of its
            impression was learnt. What is not defined yet, AUC of one class for example, is NaN.
            """);
    for (MetricStep step : MetricStep.values()) {
      page.append("\n## ").append(title(step)).append("\n\n");
      page.append("Measured by ").append(step.where()).append(".\n\n");
      page.append("| name | type | unit | labels | meaning |\n| --- | --- | --- | --- | --- |\n");
      for (JobMetric metric : of(step)) {
        page.append(
            "| `%s` | %s | %s | %s | %s |%n"
                .formatted(
                    metric.shortName(),
                    metric.type().name().toLowerCase(java.util.Locale.ROOT),
                    metric.unit(),
                    labels(metric),
                    metric.meaning()));
      }
    }
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(PAGE, page);
    }
    assertThat(Files.readString(PAGE)).as("%s: -Dgolden.write=true", PAGE).isEqualTo(page + "");
  }

  private static List<JobMetric> of(MetricStep step) {
    return JobMetric.all().stream().filter(metric -> metric.step() == step).toList();
  }

  private static String title(MetricStep step) {
    return switch (step) {
      case SOURCE -> "Sources";
      case PARSER -> "Messages of impressions";
      case SPLIT -> "Messages";
      case SINK -> "Sinks";
      case COUNT_JOIN -> "Counted events";
      case COUNT -> "Counts";
      case LABELS -> "Labels";
      case FEATURES -> "Features";
      case TRAINING -> "Training";
    };
  }

  private static String labels(JobMetric metric) {
    return metric.labels().stream()
        .map(
            label ->
                "`%s`%s"
                    .formatted(
                        label.key(),
                        label.values().isEmpty() ? "" : ": " + String.join(", ", label.values())))
        .collect(Collectors.joining("; "));
  }

  /** Two that are the same to Prometheus would be one series of two meanings. */
  @Test
  void namesAreUnique() {
    assertThat(JobMetric.all().stream().map(JobMetric::prometheusName)).doesNotHaveDuplicates();
  }
}
