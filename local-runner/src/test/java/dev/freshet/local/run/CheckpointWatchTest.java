package dev.freshet.local.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.runtime.executiongraph.AccessExecutionGraph;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 4, unit = TimeUnit.MINUTES)
class CheckpointWatchTest {

  private static final CountDownLatch RELEASED = new CountDownLatch(1);

  private static final class TestingStall implements MapFunction<Long, Long> {
    @Override
    public Long map(Long value) throws InterruptedException {
      RELEASED.await();
      return value;
    }
  }

  @Test
  void aCheckpointThatDoesNotPassAStepIsTold() throws Exception {
    Configuration conf = new Configuration();
    conf.set(RestOptions.BIND_PORT, "0");
    conf.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofMillis(50));
    StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(1, conf);
    env.fromSequence(0, Long.MAX_VALUE)
        .rebalance()
        .map(new TestingStall())
        .returns(Types.LONG)
        .name("slow step")
        .sinkTo(new DiscardingSink<>());
    try (MiniCluster cluster =
        new MiniCluster(
            new MiniClusterConfiguration.Builder()
                .setConfiguration(conf)
                .setNumSlotsPerTaskManager(1)
                .build())) {
      cluster.start();
      var job = env.getStreamGraph().getJobGraph();
      cluster.submitJob(job).get();
      Optional<String> told = Optional.empty();
      while (told.filter(text -> text.contains("has not passed slow step")).isEmpty()) {
        TimeUnit.MILLISECONDS.sleep(50);
        told = late(cluster.getArchivedExecutionGraph(job.getJobID()).get(), 40_000);
      }
      assertThat(told.get())
          .matches("no checkpoint for 4\\d s: number \\d+ has not passed slow step; it goes .*");
      RELEASED.countDown();
      AccessExecutionGraph graph;
      do {
        TimeUnit.MILLISECONDS.sleep(50);
        graph = cluster.getArchivedExecutionGraph(job.getJobID()).get();
      } while (graph.getCheckpointStatsSnapshot().getCounts().getNumberOfCompletedCheckpoints()
          == 0);
      assertThat(late(graph, 0)).isEmpty();
      cluster.cancelJob(job.getJobID()).get();
    }
  }

  private static Optional<String> late(AccessExecutionGraph job, long later) {
    return CheckpointWatch.late(job, System.currentTimeMillis() + later, Duration.ofSeconds(30));
  }
}
