package dev.freshet.local.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.local.TestingCommand;
import dev.freshet.local.broker.EmbeddedBroker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code ./freshet run}, on a broker that it did not start. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class KafkaRunITCase {

  private static final Path SHOP = Path.of("..", "pipelines", "shop.yaml");

  @TempDir private static Path folder;
  private static EmbeddedBroker broker;

  @BeforeAll
  static void start() throws Exception {
    broker = EmbeddedBroker.start(folder.resolve("kafka"));
    assertThat(onBroker("topics", "create").code()).isZero();
    assertThat(simulate(6000).code()).isZero();
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  private static TestingCommand simulate(int events) {
    return onBroker(
        "simulate", "--events=" + events, "--rate=3000", "--speed=6000", "--malformed-rate=0");
  }

  private static TestingCommand onBroker(String... command) {
    List<String> all = new ArrayList<>(List.of(command));
    all.add("--pipeline=" + SHOP);
    all.add("--bootstrap=" + broker.bootstrap());
    return TestingCommand.run(all.toArray(String[]::new));
  }

  private static TestingCommand run(String dir, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "run",
                "--data-dir=" + folder.resolve(dir),
                "--checkpoint-every=1s",
                "--for=14s",
                "--json"));
    all.addAll(List.of(more));
    return onBroker(all.toArray(String[]::new));
  }

  private static JsonNode report(TestingCommand ran) throws Exception {
    String[] lines = ran.out().split("\n");
    return new ObjectMapper().readTree(lines[lines.length - 1]);
  }

  @Test
  void learnsWhatIsThereAndGoesOnWhereItWas() throws Exception {
    TestingCommand first = run("data");
    assertThat(first.code()).as(first.err()).isZero();
    assertThat(first.err()).contains("Kafka at " + broker.bootstrap());
    JsonNode learnt = report(first);
    assertThat(learnt.path("ended").asText()).isEqualTo("time-over");
    assertThat(learnt.at("/events/impression").asInt()).isGreaterThanOrEqualTo(6000);
    long steps = learnt.at("/steps/main").asLong();
    assertThat(steps).isPositive();
    // Equal seeds send equal events: the first of these are there already.
    assertThat(simulate(12_000).code()).isZero();
    TestingCommand second = run("data");
    assertThat(second.code()).as(second.err()).isZero();
    assertThat(second.err()).contains("Going on from the newest checkpoint");
    assertThat(report(second).at("/steps/main").asLong()).isGreaterThan(steps);
  }

  /** Before any run has told of steps. */
  @ParameterizedTest
  @ValueSource(strings = {"latest", "2098-01-31T00:00:00+01:00"})
  @Order(1)
  void beginsBehindWhatIsThere(String start) throws Exception {
    TestingCommand ran = run("from-" + start.substring(0, 4), "--from=" + start);
    assertThat(report(ran).at("/steps/main").asLong()).isZero();
    assertThat(report(ran).at("/events/impression").asInt()).isGreaterThanOrEqualTo(6000);
  }

  @Test
  void aFolderIsOfOneClusterAndOneUse() throws Exception {
    Path other = Files.createDirectories(folder.resolve("other"));
    RunRecord.begin(RunRecord.RUN, Map.of("name", "shop", "cluster", "elsewhere")).write(other);
    TestingCommand ran = run("other");
    assertThat(ran.code()).isEqualTo(2);
    assertThat(ran.err()).contains("was begun on another Kafka cluster, elsewhere");
  }

  @Test
  void wrongUsageIsTold() {
    assertThat(onBroker("run").err()).contains("--data-dir is missing");
    assertThat(run("x", "--from=yesterday").err())
        .contains("--from: 'yesterday'; allowed: earliest, latest, or a time such as");
  }
}
