package dev.freshet.core.models.singletask;

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
 * Single-task: {@code o_k = tower_k(e_k)}, where {@code e_k} (B, E) are embeddings that only task k
 * learns. Nothing is shared, so a model that shares well must beat it. Costs K times the rows.
 */
public record SingleTask(
    @Option("Name of the model: its metrics, its versions") String name,
    @Option(value = "Widths of each task's layers", fallback = "128, 64, 32") List<Integer> tower,
    @Option("How the core task is learnt") AmountHead amount)
    implements ModelDefinition {

  public static final String KIND = "single-task";

  public SingleTask {
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
  public ScriptArchive script(ModelShape shape) {
    Places at = places(shape);
    return ScriptArchive.ofModel(
        "single_task",
        attributes(
            shape,
            Map.of(
                "inputs", shape.inputs(),
                "tower_at", Places.each(shape.tasks(), k -> at.stack("tower" + k)))));
  }

  @Override
  public List<Parameter> parameters(ModelShape shape) {
    List<Parameter> all = new ArrayList<>();
    for (int k = 0; k < shape.tasks(); k++) {
      all.addAll(amount.tower("tower" + k, shape.inputs(), tower, shape, k));
    }
    return all;
  }

  @Override
  public int rowSets(ModelShape shape) {
    return shape.tasks();
  }
}
