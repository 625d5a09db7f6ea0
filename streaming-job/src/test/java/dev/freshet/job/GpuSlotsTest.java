package dev.freshet.job;

import static org.assertj.core.api.Assertions.assertThat;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.pipeline.TrainingSettings.Device;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.flink.api.common.resources.ExternalResource;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.clusterframework.types.ResourceProfile;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.junit.jupiter.api.Test;

class GpuSlotsTest {

  private static StreamGraph graph(Device device, Configuration conf) {
    Pipeline pipeline = TestingPipelines.shop().withDevice(device);
    StreamExecutionEnvironment env = new StreamExecutionEnvironment(conf);
    return JobGraph.onKafka(pipeline, Map.of("main", 0, "plain", 1)).graphForCluster(env);
  }

  @Test
  void trainersAloneHaveAGpuAndEveryGroupHasAProfile() {
    Configuration conf = new Configuration();
    conf.set(TaskManagerOptions.NUM_TASK_SLOTS, 2);
    conf.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(300));
    StreamGraph graph = graph(Device.GPU, conf);
    Set<String> groups = new TreeSet<>();
    graph.getStreamNodes().forEach(node -> groups.add(node.getSlotSharingGroup()));
    assertThat(groups).containsExactly("default", "training-main", "training-plain");
    for (String group : groups) {
      ResourceProfile slot = graph.getSlotSharingGroupResource(group).orElseThrow();
      double cores = slot.getCpuCores().getValue().doubleValue();
      assertThat(slot.getTaskHeapMemory()).isGreaterThan(MemorySize.ZERO);
      assertThat(slot.getManagedMemory()).as("for RocksDB").isEqualTo(MemorySize.ofMebiBytes(150));
      if (group.equals("default")) {
        assertThat(slot.getExtendedResources()).isEmpty();
        assertThat(GpuSlots.fitsOnlyATrainer(cores)).isFalse();
      } else {
        assertThat(slot.getExtendedResources())
            .isEqualTo(Map.of("gpu", new ExternalResource("gpu", 1)));
        assertThat(GpuSlots.fitsOnlyATrainer(cores)).isTrue();
      }
    }
    for (StreamNode node : graph.getStreamNodes()) {
      boolean trains = node.getOperatorName().startsWith("training ");
      assertThat(node.getSlotSharingGroup().equals("default") && trains)
          .as(node.getOperatorName())
          .isFalse();
    }
  }

  @Test
  void withoutGpusSlotsAreAsTheConfigurationCutsThem() {
    for (Device device : new Device[] {Device.AUTO, Device.CPU}) {
      StreamGraph graph = graph(device, new Configuration());
      for (String group : new String[] {"default", "training-main"}) {
        Optional<ResourceProfile> profile = graph.getSlotSharingGroupResource(group);
        assertThat(profile.orElse(ResourceProfile.UNKNOWN)).isEqualTo(ResourceProfile.UNKNOWN);
      }
    }
  }
}
