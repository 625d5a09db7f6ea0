package dev.freshet.core.models.ple;

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
 * PLE, progressive layered extraction (Tang et al., RecSys 2020): at each level every task has
 * experts of its own beside shared ones; a task's gate mixes its own and the shared, the shared
 * gate mixes all and feeds the next level's shared experts; the last level has no shared gate. With
 * one level this is CGC. All tasks' losses are added.
 */
public record Ple(
    @Option("Name of the model: its metrics, its versions") String name,
    @Option(value = "Experts of each task, at each level", fallback = "2") int own,
    @Option(value = "Shared experts, at each level", fallback = "2") int shared,
    @Option(value = "Width of the experts of each level", fallback = "128, 64")
        List<Integer> levels,
    @Option(value = "Widths of each task's layers", fallback = "64, 32") List<Integer> tower,
    @Option("How the core task is learnt") AmountHead amount)
    implements ModelDefinition {

  public static final String KIND = "ple";

  public Ple {
    levels = Widths.some("levels", levels);
    tower = Widths.any("tower", tower);
    check(own >= 1 && own <= 32, "own", own, "1 to 32");
    check(shared >= 1 && shared <= 32, "shared", shared, "1 to 32");
  }

  @Override
  public String kind() {
    return KIND;
  }

  @Override
  public Map<String, Object> meaning() {
    return Map.of("own", own, "shared", shared, "levels", levels, "tower", tower);
  }

  @Override
  public ScriptArchive script(ModelShape shape) {
    Places at = places(shape);
    int tasks = shape.tasks();
    int all = levels.size();
    return ScriptArchive.ofModel(
        "ple",
        attributes(
            shape,
            Map.of(
                "levels", all,
                "expert_at",
                    Places.each(
                        all,
                        l ->
                            Places.each(
                                tasks,
                                t ->
                                    Places.each(
                                        own,
                                        i ->
                                            at.linear("level" + l + ".task" + t + ".expert" + i)))),
                "shared_at",
                    Places.each(
                        all,
                        l ->
                            Places.each(
                                shared, i -> at.linear("level" + l + ".shared.expert" + i))),
                "gate_at",
                    Places.each(
                        all,
                        l ->
                            Places.each(
                                tasks, t -> at.linear("level" + l + ".task" + t + ".gate"))),
                "shared_gate_at",
                    Places.each(all - 1, l -> at.linear("level" + l + ".shared.gate")),
                "tower_at", Places.each(tasks, t -> at.stack("tower" + t)))));
  }

  @Override
  public List<Parameter> parameters(ModelShape shape) {
    List<Parameter> all = new ArrayList<>();
    int in = shape.inputs();
    for (int l = 0; l < levels.size(); l++) {
      int out = levels.get(l);
      String level = "level" + l + ".";
      for (int t = 0; t < shape.tasks(); t++) {
        for (int i = 0; i < own; i++) {
          all.addAll(Parameter.linear(level + "task" + t + ".expert" + i, in, out));
        }
      }
      for (int i = 0; i < shared; i++) {
        all.addAll(Parameter.linear(level + "shared.expert" + i, in, out));
      }
      for (int t = 0; t < shape.tasks(); t++) {
        all.addAll(Parameter.linear(level + "task" + t + ".gate", in, own + shared));
      }
      if (l < levels.size() - 1) {
        all.addAll(Parameter.linear(level + "shared.gate", in, shape.tasks() * own + shared));
      }
      in = out;
    }
    for (int t = 0; t < shape.tasks(); t++) {
      all.addAll(amount.tower("tower" + t, in, tower, shape, t));
    }
    return all;
  }
}
