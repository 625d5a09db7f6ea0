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
import java.util.function.IntFunction;

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
    Map<String, Object> told =
        Map.of(
            "levels", levels.size(),
            "expert_at", eachLevel(l -> Places.each(tasks, t -> experts(at, task(l, t), own))),
            "shared_at", eachLevel(l -> experts(at, shared(l), shared)),
            "gate_at", eachLevel(l -> Places.each(tasks, t -> at.linear(task(l, t) + ".gate"))),
            "shared_gate_at", Places.each(levels.size() - 1, l -> at.linear(shared(l) + ".gate")),
            "tower_at", Places.each(tasks, t -> at.stack("tower" + t)));
    return ScriptArchive.ofModel("ple", attributes(shape, told));
  }

  private <T> List<T> eachLevel(IntFunction<T> place) {
    return Places.each(levels.size(), place);
  }

  private static String task(int level, int task) {
    return "level" + level + ".task" + task;
  }

  private static String shared(int level) {
    return "level" + level + ".shared";
  }

  private static List<Integer> experts(Places at, String of, int count) {
    return Places.each(count, i -> at.linear(of + ".expert" + i));
  }

  @Override
  public List<Parameter> parameters(ModelShape shape) {
    List<Parameter> all = new ArrayList<>();
    int in = shape.inputs();
    for (int l = 0; l < levels.size(); l++) {
      int out = levels.get(l);
      for (int t = 0; t < shape.tasks(); t++) {
        for (int i = 0; i < own; i++) {
          all.addAll(Parameter.linear(task(l, t) + ".expert" + i, in, out));
        }
      }
      for (int i = 0; i < shared; i++) {
        all.addAll(Parameter.linear(shared(l) + ".expert" + i, in, out));
      }
      for (int t = 0; t < shape.tasks(); t++) {
        all.addAll(Parameter.linear(task(l, t) + ".gate", in, own + shared));
      }
      if (l < levels.size() - 1) {
        all.addAll(Parameter.linear(shared(l) + ".gate", in, shape.tasks() * own + shared));
      }
      in = out;
    }
    for (int t = 0; t < shape.tasks(); t++) {
      all.addAll(amount.tower("tower" + t, in, tower, shape, t));
    }
    return all;
  }
}
