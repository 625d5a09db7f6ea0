package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.local.broker.EmbeddedBroker;
import dev.freshet.local.broker.Topics;
import dev.freshet.topics.ClientProperties;
import dev.freshet.topics.PipelineSource;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo's events for a job that runs elsewhere. */
class SimulateITCase {

  private static final Path SHOP = Path.of("..", "pipelines", "shop.yaml");

  @TempDir private Path folder;

  private static TestingCommand simulate(String bootstrap) {
    return TestingCommand.run(
        "simulate",
        "--pipeline=" + SHOP,
        "--bootstrap=" + bootstrap,
        "--events=300",
        "--rate=3000",
        "--duplicate-rate=0",
        "--malformed-rate=0",
        "--orphan-rate=0");
  }

  @Test
  void sendsEachImpressionAndItsFeedbackToItsTopic() throws Exception {
    try (EmbeddedBroker broker = EmbeddedBroker.start(folder.resolve("kafka"))) {
      String bootstrap = broker.bootstrap();
      assertThat(
              TestingCommand.run(
                      "topics", "create", "--pipeline=" + SHOP, "--bootstrap=" + bootstrap)
                  .code())
          .isZero();
      TestingCommand ran = simulate(bootstrap);
      assertThat(ran.code()).as(ran.err()).isZero();
      Pipeline pipeline = ClientProperties.read(PipelineSource.of(SHOP)).withBootstrap(bootstrap);
      try (Topics topics = new Topics(pipeline)) {
        Map<String, Long> counts = topics.eventCounts();
        assertThat(counts.get("impression")).isEqualTo(300);
        assertThat(counts.get("click")).isBetween(10L, 100L);
        long all = counts.values().stream().mapToLong(Long::longValue).sum();
        assertThat(ran.out()).contains(all + " messages sent, of 300 impressions");
      }
    }
  }

  @Test
  void saysThatThereIsNoBroker() {
    TestingCommand ran = simulate("127.0.0.1:1");
    assertThat(ran.code()).isEqualTo(4);
    assertThat(ran.err()).contains("127.0.0.1:1");
  }
}
