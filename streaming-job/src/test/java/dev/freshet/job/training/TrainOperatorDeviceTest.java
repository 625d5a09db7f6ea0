package dev.freshet.job.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TestingPipelines;
import dev.freshet.core.pipeline.TrainingSettings.Device;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.job.codec.CodecTypeInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.plugin.PluginManager;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.runtime.externalresource.ExternalResourceInfoProvider;
import org.apache.flink.runtime.externalresource.ExternalResourceUtils;
import org.apache.flink.runtime.operators.testutils.MockEnvironment;
import org.apache.flink.runtime.operators.testutils.MockEnvironmentBuilder;
import org.apache.flink.streaming.runtime.tasks.StreamTaskActionExecutor;
import org.apache.flink.streaming.runtime.tasks.mailbox.MailboxExecutorImpl;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A trainer is offered GPUs by Flink's external resources, on a machine without one. */
class TrainOperatorDeviceTest {

  @TempDir private Path folder;

  /** What Flink makes of a task manager's settings and of a discovery script that prints this. */
  private ExternalResourceInfoProvider offered(String indices) throws Exception {
    Path script = folder.resolve("discovery.sh");
    Files.writeString(script, "test \"$1\" = 2 && echo " + indices + "\n");
    Configuration conf = new Configuration();
    conf.setString("external-resources", "gpu");
    conf.setString("external-resource.gpu.amount", "2");
    conf.setString("external-resource.gpu.driver-factory.class", TestingGpuDriver.class.getName());
    conf.setString("external-resource.gpu.param.discovery-script.path", script.toString());
    return ExternalResourceUtils.createStaticExternalResourceInfoProviderFromConfig(
        conf, new TestingPlugins());
  }

  /** The driver as the only plugin. */
  private static final class TestingPlugins implements PluginManager {
    @Override
    public <P> Iterator<P> load(Class<P> service) {
      return List.of(service.cast(new TestingGpuDriver())).iterator();
    }
  }

  private static void open(Device device, ExternalResourceInfoProvider offered) throws Exception {
    Pipeline pipeline = TestingPipelines.shop().withDevice(device);
    TrainOperator operator = new TrainOperator(pipeline, pipeline.model("main"));
    try (MockEnvironment environment =
            new MockEnvironmentBuilder().setExternalResourceInfoProvider(offered).build();
        AbstractStreamOperatorTestHarness<ModelRecord> harness =
            new AbstractStreamOperatorTestHarness<>(operator, environment)) {
      operator.setMailboxExecutor(
          new MailboxExecutorImpl(harness.getTaskMailbox(), 0, StreamTaskActionExecutor.IMMEDIATE));
      harness.getStreamConfig().setStateKeySerializer(LongSerializer.INSTANCE);
      harness.getStreamConfig().serializeAllConfigs();
      harness.setup(CodecTypeInfo.MODEL_RECORD.createSerializer(null));
      harness.open();
      assertThat(operator.getRuntimeContext().getExternalResourceInfos("gpu"))
          .isEqualTo(offered.getExternalResourceInfos("gpu"));
    }
  }

  @Test
  void aGpuThatPyTorchDoesNotSeeIsRefusedOnceAndForAll() {
    assertThatThrownBy(() -> open(Device.GPU, offered("3,5")))
        .isInstanceOf(SuppressRestartsException.class)
        .rootCause()
        .hasMessageContaining("model 'main'")
        .hasMessageContaining("offers 3, 5")
        .hasMessageContaining("PyTorch sees none");
  }

  @Test
  void aGpuThatNobodyOffersIsRefusedToo() {
    assertThatThrownBy(() -> open(Device.GPU, ExternalResourceInfoProvider.NO_EXTERNAL_RESOURCES))
        .isInstanceOf(SuppressRestartsException.class)
        .rootCause()
        .hasMessageContaining("no external resource 'gpu' is offered");
  }

  @Test
  void otherwiseItLearnsOnTheCpu() throws Exception {
    open(Device.AUTO, offered("0,1"));
    open(Device.CPU, offered("0,1"));
    open(Device.AUTO, ExternalResourceInfoProvider.NO_EXTERNAL_RESOURCES);
  }
}
