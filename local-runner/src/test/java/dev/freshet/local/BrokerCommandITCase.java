package dev.freshet.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./freshet broker}: what a replay has learnt is used after its end. */
class BrokerCommandITCase {

  private static final int SHOWN = 3000;
  private static final String PIPELINE =
      """
      pipeline: p
      tasks: [{name: click, kind: binary, window: 1m}]
      features: [{name: user, kind: categorical}]
      models: [{name: net, kind: shared-bottom}]
      """;

  @TempDir private Path folder;

  @Test
  void servesWhatAReplayHasLearnt() throws Exception {
    StringBuilder shown = new StringBuilder();
    StringBuilder clicked = new StringBuilder();
    for (int i = 0; i < SHOWN; i++) {
      String id =
          "{\"impression_id\":\"i%d\",\"event_time\":%d,"
              .formatted(i, 1_767_225_600_000L + i * 500L);
      shown.append(id).append("\"features\":{\"user\":\"u%d\"}}%n".formatted(i % 10));
      if (i % 10 < 3) {
        clicked.append(id).append("\"event_id\":\"c\",\"kind\":\"click\"}\n");
      }
    }
    String pipeline = Files.writeString(folder.resolve("p.yaml"), PIPELINE).toString();
    String impressions = Files.writeString(folder.resolve("i.jsonl"), shown).toString();
    String feedback = Files.writeString(folder.resolve("f.jsonl"), clicked).toString();
    String data = folder.resolve("data").toString();
    TestingCommand replayed =
        TestingCommand.run(
            "replay",
            "--pipeline=" + pipeline,
            "--impressions=" + impressions,
            "--feedback=" + feedback,
            "--data-dir=" + data);
    assertThat(replayed.code()).as(replayed.err()).isZero();

    TestingProcesses processes = new TestingProcesses(folder);
    Process broker = processes.start("broker", "broker", "--data-dir", data);
    try {
      Pattern address = Pattern.compile("Kafka at ([0-9.:]+), with the topics");
      TestingProcesses.await(
          () -> address.matcher(processes.said("broker")).find() || !broker.isAlive());
      Matcher said = address.matcher(processes.said("broker"));
      assertThat(said.find()).as(processes.said("broker")).isTrue();
      TestingCommand predicted =
          TestingCommand.run(
              "predict",
              "--pipeline=" + pipeline,
              "--bootstrap=" + said.group(1),
              "--impressions=" + impressions);
      assertThat(predicted.code()).as(predicted.err()).isZero();
      assertThat(predicted.out().lines()).hasSize(SHOWN);
      assertThat(TestingCommand.run("broker", "--data-dir", data).err())
          .contains("another run is under way");
      broker.destroy();
      assertThat(broker.waitFor(1, TimeUnit.MINUTES)).isTrue();
      assertThat(broker.exitValue()).as(processes.said("broker")).isEqualTo(143);
    } finally {
      broker.destroyForcibly();
    }
  }

  @Test
  void aFolderWithoutTopicsIsRefused() {
    TestingCommand ran = TestingCommand.run("broker", "--data-dir", folder.toString());
    assertThat(ran.code()).isEqualTo(2);
    assertThat(ran.err()).contains("holds no topics; allowed: the folder of a demo or a replay");
  }
}
