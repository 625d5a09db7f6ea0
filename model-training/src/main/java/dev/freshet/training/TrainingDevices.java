package dev.freshet.training;

import dev.freshet.core.models.torch.TorchDevice;
import dev.freshet.core.pipeline.TrainingSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which device a trainer computes on, by its settings and by what is there. */
public final class TrainingDevices {

  private static final Logger LOGGER = LoggerFactory.getLogger(TrainingDevices.class);

  private TrainingDevices() {}

  /**
   * The device of a model. Models beside each other that are offered the same GPUs take them in
   * turn.
   *
   * @param offered indices of the GPUs that are meant for this process, as a task manager's
   *     external resource tells them; none where nobody says
   * @param seen how many GPUs PyTorch sees
   * @param place of the model among those of the pipeline, from 0 on
   * @throws IllegalStateException if a GPU is asked for and there is none, in words for the user
   */
  public static TorchDevice choose(
      TrainingSettings.Device wanted, List<String> offered, int seen, int place) {
    if (wanted == TrainingSettings.Device.CPU) {
      return TorchDevice.HOST;
    }
    List<Integer> usable = new ArrayList<>();
    for (int index = 0; offered.isEmpty() && index < seen; index++) {
      usable.add(index);
    }
    for (String offer : offered) {
      index(offer).filter(index -> index < seen).ifPresent(usable::add);
    }
    if (!usable.isEmpty()) {
      return TorchDevice.gpu(usable.get(place % usable.size()));
    }
    String none =
        offered.isEmpty()
            ? "PyTorch sees no GPU here, and no external resource 'gpu' is offered"
            : "the external resource 'gpu' offers %s, of which PyTorch sees none: it sees %d GPUs%s"
                .formatted(
                    String.join(", ", offered),
                    seen,
                    seen > 0 ? "" : " (libtorch for CUDA and the driver belong on this machine)");
    if (wanted == TrainingSettings.Device.GPU) {
      throw new IllegalStateException(
          "training.device is gpu, but "
              + none
              + "; training.device: auto takes the CPU where there is none");
    }
    if (!offered.isEmpty()) {
      LOGGER.warn("Training is on the CPU: {}", none);
    }
    return TorchDevice.HOST;
  }

  private static Optional<Integer> index(String offer) {
    try {
      int index = Integer.parseInt(offer.trim());
      return index < 0 ? Optional.empty() : Optional.of(index);
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }
}
