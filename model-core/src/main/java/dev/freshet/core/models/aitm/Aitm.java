package dev.freshet.core.models.aitm;

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
 * AITM, the adaptive information transfer multi-task model (Xi et al., KDD 2021): each task has its
 * own bottom {@code h_t = MLP_t(e)}; from the second on, {@code h_t} is replaced by attention over
 * the pair {@code {relu(g(h_{t-1})), h_t}} with scores {@code <Q, K> / sqrt(k)}. Every probability
 * is modelled directly on all impressions, and {@code max(p_t - p_{t-1}, 0)} is penalised. The core
 * task joins the chain as its last link, with squared error: our reading.
 */
public record Aitm(
    @Option("Name of the model: its metrics, its versions") String name,
    @Option(value = "Widths of each task's bottom", fallback = "128, 64") List<Integer> bottom,
    @Option(value = "Widths of each task's tower above it", fallback = "32") List<Integer> tower,
    @Option(
            value = "Weight of the penalty on a step likelier than the one before",
            fallback = "0.6")
        double penalty,
    @Option("How the core task is learnt") AmountHead amount)
    implements ModelDefinition {

  public static final String KIND = "aitm";

  public Aitm {
    bottom = Widths.some("bottom", bottom);
    tower = Widths.any("tower", tower);
    check(penalty >= 0, "penalty", penalty, "0 or more");
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
    int tasks = shape.tasks();
    List<String> fusion = List.of("value", "query", "key");
    return ScriptArchive.ofModel(
        "aitm",
        attributes(
            shape,
            Map.of(
                "bottom_at", Places.each(tasks, t -> at.stack("bottom" + t)),
                "transfer_at",
                    Places.each(tasks - 1, t -> at.linear("link" + (t + 1) + ".transfer")),
                "fusion_at",
                    Places.each(
                        tasks - 1,
                        t ->
                            fusion.stream()
                                .map(unit -> at.linear("link" + (t + 1) + "." + unit))
                                .toList()),
                "tower_at", Places.each(tasks, t -> at.stack("tower" + t)),
                "penalty", penalty)));
  }

  @Override
  public List<Parameter> parameters(ModelShape shape) {
    int width = bottom.get(bottom.size() - 1);
    List<Parameter> all = new ArrayList<>();
    for (int t = 0; t < shape.tasks(); t++) {
      all.addAll(Parameter.layers("bottom" + t, shape.inputs(), bottom));
    }
    for (int t = 1; t < shape.tasks(); t++) {
      for (String unit : List.of("transfer", "value", "query", "key")) {
        all.addAll(Parameter.linear("link" + t + "." + unit, width, width));
      }
    }
    for (int t = 0; t < shape.tasks(); t++) {
      all.addAll(amount.tower("tower" + t, width, tower, shape, t));
    }
    return all;
  }
}
