package dev.freshet.core.models.mmoe;

import static dev.freshet.core.settings.InvalidValueException.check;

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
 * MMoE, the multi-gate mixture of experts (Ma et al., KDD 2018): K experts {@code m_k(e)} shared by
 * all tasks, one gate per task, {@code s_t = sum_k softmax(e W_t)_k m_k(e)}, {@code o_t =
 * tower_t(s_t)}; all tasks' losses are added.
 */
public record Mmoe(
    @Option("Name of the model: its metrics, its versions") String name,
    @Option(value = "Number of experts, K", fallback = "8") int experts,
    @Option(value = "Widths of each expert's layers", fallback = "64") List<Integer> expert,
    @Option(value = "Widths of each task's layers", fallback = "64, 32") List<Integer> tower,
    @Option("How the core task is learnt") AmountHead amount)
    implements ModelDefinition {

  public static final String KIND = "mmoe";

  public Mmoe {
    expert = Widths.some("expert", expert);
    tower = Widths.any("tower", tower);
    check(experts >= 1 && experts <= 64, "experts", experts, "1 to 64");
  }

  @Override
  public String kind() {
    return KIND;
  }

  @Override
  public Map<String, Object> meaning() {
    return Map.of("experts", experts, "expert", expert, "tower", tower);
  }

  @Override
  public ScriptArchive script(ModelShape shape) {
    Places at = places(shape);
    return ScriptArchive.ofModel(
        "mmoe",
        attributes(
            shape,
            Map.of(
                "expert_at", Places.each(experts, k -> at.stack("expert" + k)),
                "gate_at", Places.each(shape.tasks(), t -> at.linear("gate" + t)),
                "tower_at", Places.each(shape.tasks(), t -> at.stack("tower" + t)))));
  }

  @Override
  public List<Parameter> parameters(ModelShape shape) {
    List<Parameter> all = new ArrayList<>();
    for (int k = 0; k < experts; k++) {
      all.addAll(Parameter.layers("expert" + k, shape.inputs(), expert));
    }
    for (int t = 0; t < shape.tasks(); t++) {
      all.addAll(Parameter.linear("gate" + t, shape.inputs(), experts));
    }
    for (int t = 0; t < shape.tasks(); t++) {
      all.addAll(amount.tower("tower" + t, expert.get(expert.size() - 1), tower, shape, t));
    }
    return all;
  }
}
