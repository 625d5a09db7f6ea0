package dev.freshet.core.models.sharedbottom;

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
 * Shared-Bottom, the plainest multi-task net: {@code s = MLP(e)}, {@code o_t = tower_t(s)}; all
 * tasks' losses are added. The floor that the other models are measured against.
 */
public record SharedBottom(
    @Option("Name of the model: its metrics, its versions") String name,
    @Option(value = "Widths of the shared layers", fallback = "128") List<Integer> bottom,
    @Option(value = "Widths of each task's layers", fallback = "64, 32") List<Integer> tower,
    @Option("How the core task is learnt") AmountHead amount)
    implements ModelDefinition {

  public static final String KIND = "shared-bottom";

  public SharedBottom {
    bottom = Widths.some("bottom", bottom);
    tower = Widths.any("tower", tower);
  }

  @Override
  public String kind() {
    return KIND;
  }

  @Override
  public Map<String, Object> meaning() {
    return Map.of("bottom", bottom, "tower", tower);
  }

  @Override
  public ScriptArchive script(ModelShape shape) {
    Places at = places(shape);
    return ScriptArchive.ofModel(
        "shared_bottom",
        attributes(
            shape,
            Map.of(
                "bottom_at", at.stack("bottom"),
                "tower_at", Places.each(shape.tasks(), k -> at.stack("tower" + k)))));
  }

  @Override
  public List<Parameter> parameters(ModelShape shape) {
    List<Parameter> all = new ArrayList<>(Parameter.layers("bottom", shape.inputs(), bottom));
    for (int k = 0; k < shape.tasks(); k++) {
      all.addAll(amount.tower("tower" + k, bottom.get(bottom.size() - 1), tower, shape, k));
    }
    return all;
  }
}
