package dev.freshet.core.models.esmm;

import dev.freshet.core.models.AmountHead;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.ModelShape;
import dev.freshet.core.models.Parameter;
import dev.freshet.core.models.Places;
import dev.freshet.core.models.Widths;
import dev.freshet.core.models.torch.ScriptArchive;
import dev.freshet.core.settings.Option;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * ESMM, the entire-space multi-task model (Ma et al., SIGIR 2018), extended from click and purchase
 * to a chain of T steps: {@code q_t = sigma(o_1) ... sigma(o_t)} with {@code o_t = tower_t(e)}, and
 * {@code L = sum_t BCE(q_t, y_t)} over all impressions. No step's own conditional probability is
 * ever trained directly, and {@code q_t <= q_{t-1}} holds by construction. The core task, which the
 * paper does not have, is an extra tower with squared error: our reading.
 */
public record Esmm(
    @Option("Name of the model: its metrics, its versions") String name,
    @Option(value = "Widths of each task's layers", fallback = "128, 64, 32") List<Integer> tower,
    @Option("How the core task is learnt") AmountHead amount)
    implements ModelDefinition {

  public static final String KIND = "esmm";

  public Esmm {
    tower = Widths.any("tower", tower);
  }

  @Override
  public String kind() {
    return KIND;
  }

  @Override
  public Map<String, Object> meaning() {
    return Map.of("tower", tower);
  }

  @Override
  public boolean conditional() {
    return true;
  }

  @Override
  public ScriptArchive script(ModelShape shape) {
    Places at = places(shape);
    return ScriptArchive.ofModel(
        "esmm",
        attributes(
            shape, Map.of("tower_at", Places.each(shape.tasks(), k -> at.stack("tower" + k)))));
  }

  @Override
  public List<Parameter> parameters(ModelShape shape) {
    List<Parameter> all = new ArrayList<>();
    for (int t = 0; t < shape.tasks(); t++) {
      all.addAll(amount.tower("tower" + t, shape.inputs(), tower, shape, t));
    }
    return all;
  }
}
