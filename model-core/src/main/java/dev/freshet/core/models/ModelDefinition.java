package dev.freshet.core.models;

import dev.freshet.core.models.torch.ScriptArchive;
import java.io.Serializable;
import java.util.List;

/**
 * A model: a settings record that knows its script and the weights that this needs. The script has
 * {@code setup(p, m, v, steps)}, {@code step(e, indices, offsets, y, w, noise, hyper)} and {@code
 * predict(e, indices, offsets, shape)}; {@code layers.py} says what these are.
 */
public interface ModelDefinition extends Serializable {

  /** The name under which it trains, reports and publishes. */
  String name();

  /** The kind, as in the pipeline file. */
  String kind();

  /**
   * @throws dev.freshet.core.settings.InvalidValueException if the model cannot learn these tasks
   *     from these features
   */
  default void requireFit(ModelShape shape) {}

  ScriptArchive script(ModelShape shape);

  /** Dense weights in the order in which the script reads them. */
  List<Parameter> parameters(ModelShape shape);

  /** How many values of {@code noise} the script reads for each example. */
  default int noise(ModelShape shape) {
    return 1;
  }

  /** Whether these are Gumbel(0, 1) variates; if not they are zeros. */
  default boolean noisy() {
    return false;
  }

  /** What the script's {@code hyper} holds from index 2 on, at a step. */
  default float[] hyper(long step) {
    return new float[0];
  }
}
