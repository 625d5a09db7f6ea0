package dev.freshet.core.models;

import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.models.torch.ScriptArchive;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A model: a settings record that knows its script and the weights that this needs. The script has
 * {@code setup(p, m, v, steps)}, {@code step(e, indices, offsets, weights, y, w, reached, same,
 * noise, hyper)}, which {@code part_of}, for each part of a batch, and {@code together} do as well,
 * and {@code predict(e, indices, offsets, weights, shape)}; {@link
 * dev.freshet.core.network.Network} says what a batch is, and the learner what a step is handed
 * besides.
 */
public interface ModelDefinition extends Serializable {

  /** Names that scripts have for the numbers that {@code hyper} holds for every model. */
  List<String> HYPER =
      List.of("rate", "decay", "max_norm", "epsilon", "optimizer", "clip_norm", "examples", "half");

  /** The name under which it trains, reports and publishes. */
  String name();

  /** The kind, as in the pipeline file. */
  String kind();

  /** How it learns the core task. */
  AmountHead amount();

  /**
   * The settings, by names that never change, with others of which the same weights would not fit
   * or would predict something else. How weights are learnt is none of it. {@link #amount} is told
   * apart from this.
   */
  Map<String, Object> meaning();

  /**
   * @throws dev.freshet.core.settings.InvalidValueException if the model cannot learn these tasks
   *     from these features
   */
  default void requireFit(ModelShape shape) {}

  ScriptArchive script(ModelShape shape);

  /** The model's own dense weights in the order in which the script reads them. */
  List<Parameter> parameters(ModelShape shape);

  /**
   * All dense weights in the order in which the script reads them: the model's own, then those of
   * the fields that are pooled by attention, for each set of embedding rows.
   */
  default List<Parameter> dense(ModelShape shape) {
    List<Parameter> all = new ArrayList<>(parameters(shape));
    for (int set = 0; set < rowSets(shape); set++) {
      for (FeatureSchema.Attention unit : shape.attention()) {
        all.addAll(Parameter.attention("attention" + set + "." + unit.field(), unit.dim()));
      }
    }
    return all;
  }

  /** Where the script finds its weights. */
  default Places places(ModelShape shape) {
    return new Places(dense(shape));
  }

  /** Attributes that the script declares: those of all scripts, and {@code own}. */
  default Map<String, Object> attributes(ModelShape shape, Map<String, Object> own) {
    Places at = places(shape);
    List<FeatureSchema.Attention> attention = shape.attention();
    Map<String, Object> all = new HashMap<>(own);
    all.put("first", firstOrder(shape));
    all.put("sets", rowSets(shape));
    all.put(
        "attention",
        attention.stream().map(u -> List.of(u.group(), u.place(), u.target())).toList());
    all.put(
        "attention_at",
        Places.each(
            rowSets(shape),
            set ->
                attention.stream()
                    .map(u -> at.stack("attention" + set + "." + u.field()))
                    .toList()));
    all.put("layers_at", hidden(dense(shape)));
    all.put("hyper_names", Stream.concat(HYPER.stream(), hyperNames().stream()).toList());
    all.put("tasks", shape.tasks());
    all.put("binary", shape.binary());
    all.put("amount", amount().loss().name().toLowerCase(Locale.ROOT));
    all.put("delta", amount().delta());
    return all;
  }

  /**
   * Places of the weights of hidden layers: all that is multiplied but for outputs, which are few.
   */
  private static List<Integer> hidden(List<Parameter> parameters) {
    return IntStream.range(0, parameters.size())
        .filter(i -> parameters.get(i).name().endsWith(".weight"))
        .filter(i -> !parameters.get(i).name().endsWith(".out.weight"))
        .boxed()
        .toList();
  }

  /** Name of the weights that are added last to a task's output. */
  default String bias(int task) {
    return "tower" + task + ".out.bias";
  }

  /**
   * True if the loss of a batch is the sum of what its examples cost one by one, so that parts of
   * it may be worked on apart.
   */
  default boolean additive() {
    return true;
  }

  /** True if the output of a step is about the examples for which the step before happened. */
  default boolean conditional() {
    return false;
  }

  /** How many sets of embedding rows it has; the script sees their tables set by set. */
  default int rowSets(ModelShape shape) {
    return 1;
  }

  /**
   * First-order weights behind the embedding in each row: one for each task that the row serves and
   * that asks for a probability, added to its log-odds; ZILN asks for that of an amount. Other
   * losses of amounts have none: an error that is squared lets a few large ones throw such weights
   * far off.
   */
  default int firstOrder(ModelShape shape) {
    boolean odds = shape.core() && amount().loss() == AmountHead.Loss.ZILN;
    int tasks = shape.binary() + (odds ? 1 : 0);
    return rowSets(shape) > 1 ? Math.min(1, tasks) : tasks;
  }

  /**
   * Fields whose values together say which user saw which item: the script's {@code same}. With
   * none, every impression is a pair of its own.
   */
  default List<String> identity() {
    return List.of();
  }

  /** How many values of {@code noise} the script reads for each example. */
  default int noise(ModelShape shape) {
    return 1;
  }

  /** True if these are Gumbel(0, 1) variates; if not they are zeros. */
  default boolean noisy() {
    return false;
  }

  /** Names in the script of what {@link #hyper} gives. */
  default List<String> hyperNames() {
    return List.of();
  }

  /** Numbers in the script's {@code hyper} behind those of all models, at a step. */
  default float[] hyper(long step) {
    return new float[0];
  }
}
