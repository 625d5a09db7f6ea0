package dev.freshet.local.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.Filter;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.config.Configuration;
import org.apache.logging.log4j.core.config.ConfigurationFactory;
import org.apache.logging.log4j.core.config.ConfigurationSource;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.impl.Log4jLogEvent;
import org.apache.logging.log4j.message.SimpleMessage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The log configuration of Flink's processes on a cluster, as log4j reads it. */
class LogConfigurationTest {

  private static final String GROUP = "org.apache.flink.metrics.MetricGroup";

  @TempDir private Path folder;

  @Test
  void leavesOutWhatSaysNothingAndNothingElse() throws Exception {
    System.setProperty("log.file", folder.resolve("flink.log").toString());
    try (LoggerContext context = new LoggerContext("test");
        InputStream in =
            Files.newInputStream(
                FlinkConfigurationTest.FOLDER.resolve("log4j-console.properties"))) {
      Configuration conf =
          ConfigurationFactory.getInstance()
              .getConfiguration(
                  context,
                  new ConfigurationSource(in, Path.of("log4j-console.properties").toFile()));
      context.start(conf);
      assertThat(conf.getRootLogger().getAppenders()).hasSize(2);
      LoggerConfig group = conf.getLoggerConfig(GROUP);
      assertThat(group.getName()).isEqualTo(GROUP);
      assertThat(passes(group, "currentSendTime")).isFalse();
      assertThat(passes(group, "pendingCommittables")).isFalse();
      assertThat(passes(group, "steps")).isTrue();
      context.getLogger("dev.freshet").info("to the file");
      assertThat(folder.resolve("flink.log")).content().contains("dev.freshet").contains("to the");
    } finally {
      System.clearProperty("log.file");
    }
  }

  private static boolean passes(LoggerConfig logger, String metric) {
    String text =
        "Name collision: Group already contains a Metric with the name '"
            + metric
            + "'. Metric will not be reported.[localhost, taskmanager]";
    var event =
        Log4jLogEvent.newBuilder()
            .setLoggerName(GROUP)
            .setLevel(Level.WARN)
            .setMessage(new SimpleMessage(text))
            .build();
    return logger.getFilter().filter(event) != Filter.Result.DENY;
  }
}
