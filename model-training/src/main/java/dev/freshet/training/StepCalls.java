package dev.freshet.training;

import dev.freshet.core.models.torch.HostBuffer;
import dev.freshet.core.models.torch.TorchDevice;
import dev.freshet.core.models.torch.TorchEngine;
import dev.freshet.core.network.Network;
import dev.freshet.core.rows.Workers;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The calls of a model's script that are one step: {@code step}, or {@code part_of} by each worker
 * for its part of the batch and then {@code together}, which adds up losses and gradients and makes
 * the step. But for rounding, which depends on the number of parts, both say the same. Closing it
 * ends a step, whose results are valid until then; another may follow.
 */
final class StepCalls implements AutoCloseable {

  private static final Logger LOGGER = LoggerFactory.getLogger(StepCalls.class);

  /** Examples that are worth a thread of their own. */
  private static final int LEAST = 32;

  // What `part_of` gives.
  private static final int LOSSES = 0;
  private static final int SAID = 1;
  private static final int GRADIENTS = 2;

  private final Network network;
  private final Workers workers;

  /** Of each worker from which example to which it works. */
  private final List<HostBuffer> ranges;

  private final List<TorchEngine.Call> calls = new ArrayList<>();

  /** Those that share the steps of a model. */
  static Workers workers(String model, TorchDevice device, int trainers) {
    if (trainers > 1 && device.apart()) {
      LOGGER.warn("Model {}: {} computes a step as a whole, training.trainers is 1", model, device);
    } else if (trainers > 1) {
      LOGGER.info("Model {}: {} trainers share each step", model, trainers);
    }
    return new Workers(device.apart() ? 1 : trainers, "trainer of " + model);
  }

  StepCalls(Network network, Workers workers) {
    this.network = network;
    this.workers = workers;
    ranges = Stream.generate(HostBuffer::new).limit(workers.count()).toList();
  }

  /**
   * Makes the step.
   *
   * @param size examples of the gathered batch
   * @param batch adds what is known of its examples to a call
   * @param hyper adds the numbers that are the same for all
   */
  List<FloatBuffer> run(
      int size, UnaryOperator<TorchEngine.Call> batch, UnaryOperator<TorchEngine.Call> hyper) {
    int parts = workers.parts(size, LEAST);
    if (parts == 1) {
      return hyper.apply(batch.apply(open("step"))).run();
    }
    for (int i = 0; i < parts; i++) {
      hyper.apply(batch.apply(open("part_of")));
    }
    workers.share(
        size,
        parts,
        (part, from, to) -> {
          ranges.get(part).longs(2).put(from).put(to);
          calls.get(part).addHost("of", ranges.get(part), 2).run();
        });
    List<TorchEngine.Call> found = List.copyOf(calls);
    TorchEngine.Call together = network.callWithoutRows("together");
    calls.add(together);
    found.forEach(part -> together.addToList("losses", part, LOSSES));
    found.forEach(part -> together.addToList("said", part, SAID));
    for (TorchEngine.Call part : found) {
      for (int i = GRADIENTS; i < part.results(); i++) {
        together.addToList("grads", part, i);
      }
    }
    return hyper.apply(together).run();
  }

  private TorchEngine.Call open(String method) {
    TorchEngine.Call call = network.call(method);
    calls.add(call);
    return call;
  }

  @Override
  public void close() {
    calls.forEach(TorchEngine.Call::close);
    calls.clear();
  }
}
