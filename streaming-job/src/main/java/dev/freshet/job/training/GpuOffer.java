package dev.freshet.job.training;

import dev.freshet.core.models.torch.TorchDevice;
import dev.freshet.core.models.torch.TorchLibrary;
import dev.freshet.core.pipeline.TrainingSettings;
import dev.freshet.training.TrainingDevices;
import java.util.List;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The GPUs that Flink offers a task as external resources.
 *
 * @param indexes as their driver tells them, ascending
 */
public record GpuOffer(List<String> indexes) {

  /** Name of Flink's external resource. */
  public static final String RESOURCE = "gpu";

  /** The property in which its driver tells a GPU. */
  private static final String INDEX = "index";

  private static final Logger LOGGER = LoggerFactory.getLogger(GpuOffer.class);

  static GpuOffer of(RuntimeContext task) {
    return new GpuOffer(
        task.getExternalResourceInfos(RESOURCE).stream()
            .map(gpu -> gpu.getProperty(INDEX).orElse("no index"))
            .sorted()
            .toList());
  }

  /**
   * The device on which a model learns.
   *
   * @param place of the model among those of the pipeline
   * @throws SuppressRestartsException if a GPU is asked for and there is none: there will not be
   *     one at the next attempt either
   */
  TorchDevice choose(TrainingSettings.Device wanted, String model, int place) {
    int seen = wanted == TrainingSettings.Device.CPU ? 0 : TorchLibrary.gpus();
    try {
      TorchDevice device = TrainingDevices.choose(wanted, indexes, seen, place);
      LOGGER.info("Model {} learns on {}", model, device);
      return device;
    } catch (IllegalStateException e) {
      throw new SuppressRestartsException(
          new IllegalStateException("model '" + model + "': " + e.getMessage()));
    }
  }
}
