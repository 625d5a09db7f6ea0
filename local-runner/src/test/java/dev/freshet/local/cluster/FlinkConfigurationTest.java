package dev.freshet.local.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.pipeline.PipelineFile;
import dev.freshet.topics.Transactions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.metrics.prometheus.PrometheusReporter;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessUtils;
import org.apache.flink.runtime.metrics.ReporterSetup;
import org.apache.flink.runtime.metrics.ReporterSetupBuilder;
import org.apache.flink.runtime.metrics.filter.DefaultReporterFilters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whether Flink starts with conf/config.yaml, as far as its own classes can tell. */
class FlinkConfigurationTest {

  static final Path FOLDER = Path.of("../conf");

  static Map<String, String> settings() {
    return GlobalConfiguration.loadConfiguration(FOLDER.toString()).toMap();
  }

  @Test
  void everyKeyIsKnownAndEverySizeAddsUp() {
    assertThat(TestingFlinkOptions.size()).isGreaterThan(500);
    assertThat(settings()).hasSizeGreaterThan(30);
    assertThat(TestingFlinkOptions.problems(settings())).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "taskmanager.numberOfTaskSlot | 2 | no option of Flink",
        "execution.checkpointing.retained | 2 | no option of Flink",
        "metrics.reporter.prom.prot | 9249 | no option of Flink",
        "external-resource.gpu.amout | 1 | no option of Flink",
        "state.checkpoints.dir | file:///x | is written execution.checkpointing.dir now",
        "heartbeat.timeout | 8 parsecs | heartbeat.timeout: '8 parsecs'",
        "web.submit.enable | perhaps | web.submit.enable: 'perhaps'",
        "taskmanager.memory.task.off-heap.size | 1500m | task manager: ",
        "taskmanager.memory.process.size | 1g | task manager: ",
        "jobmanager.memory.process.size | 400m | job manager: ",
      })
  void refusesWhatFlinkPassesOverOrCannotStartWith(String key, String value, String problem) {
    Map<String, String> settings = new HashMap<>(settings());
    settings.put(key, value);
    assertThat(TestingFlinkOptions.problems(settings)).singleElement().asString().contains(problem);
  }

  /** What Freshet asks of Flink, whoever changes the file. */
  @Test
  void holdsWhatTheJobNeeds() throws Exception {
    Configuration conf = Configuration.fromMap(settings());
    var spec = TaskExecutorProcessUtils.processSpecFromConfig(conf);
    assertThat(spec.getTotalProcessMemorySize()).isEqualTo(MemorySize.parse("2gb"));
    assertThat(spec.getTaskOffHeapSize()).isGreaterThanOrEqualTo(MemorySize.parse("512mb"));
    assertThat(conf.get(TaskManagerOptions.BUFFER_DEBLOAT_ENABLED)).isTrue();
    assertThat(CheckpointingOptions.isUnalignedCheckpointInterruptibleTimersEnabled(conf)).isTrue();
    assertThat(conf.get(CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION))
        .isEqualTo(ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
    Duration longest =
        conf.get(CheckpointingOptions.CHECKPOINTING_TIMEOUT)
            .plus(conf.get(CheckpointingOptions.CHECKPOINTING_INTERVAL));
    String transaction = Transactions.timeout(PipelineFile.read(Path.of("../pipelines/shop.yaml")));
    assertThat(longest.toMillis()).isLessThan(Long.parseLong(transaction));
  }

  @Test
  void startsTheReporter() {
    List<ReporterSetup> started =
        ReporterSetupBuilder.METRIC_SETUP_BUILDER.fromConfiguration(
            Configuration.fromMap(settings()),
            DefaultReporterFilters::metricsFromConfiguration,
            null);
    try {
      assertThat(started)
          .singleElement()
          .extracting(ReporterSetup::getReporter)
          .isInstanceOf(PrometheusReporter.class);
    } finally {
      started.forEach(setup -> setup.getReporter().close());
    }
  }
}
