package dev.freshet.experiments;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.features.Crosses;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.labels.Task;
import dev.freshet.core.labels.correction.DelayCorrections;
import dev.freshet.core.models.AmountHead;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.Models;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.RowOptimizers;
import dev.freshet.core.pipeline.TrainingSettings.Dense;
import dev.freshet.core.pipeline.TrainingSettings.Embeddings;
import dev.freshet.core.settings.EnumNames;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Something about a pipeline that tuning may change, and what it may change it to. The menus are
 * those of the pipeline file, so what is new there is tried here.
 *
 * @param name as in the pipeline file
 * @param asItIs the value in the pipeline
 * @param values other ones, all valid by themselves
 */
record TunedChoice(String name, String asItIs, List<Value> values) {

  /**
   * @param label its name in the table
   * @param change its change of the file's keys
   */
  record Value(String label, Consumer<ObjectNode> change) {}

  private static final int[] BATCHES = {32, 64, 128, 256, 512, 1024};
  private static final String[] DENSE_RATES = {"3e-4", "1e-3", "3e-3"};
  private static final String[] ROW_RATES = {"0.02", "0.05", "0.1", "0.2"};

  /** Without, or slow: what pays where labels come so late that single values mislead. */
  private static final String[] FIRST_ORDER_RATES = {"0.0", "0.1", "0.3"};

  /** With more every step takes many times as long, for crosses that hardly ever come twice. */
  private static final int MOST_PAIRS = 100;

  private static final int[] DIMS = {4, 8, 16, 32};

  /**
   * All that can be tried, unchecked; the model that is tuned is the first of the file.
   *
   * @param judged tasks to which a choice has to matter
   */
  static List<TunedChoice> of(Pipeline pipeline, ObjectNode file, Predicate<Task> judged) {
    ModelDefinition model = pipeline.models().get(0);
    List<TunedChoice> all = new ArrayList<>();
    all.add(
        new TunedChoice(
            "kind",
            model.kind(),
            Models.kinds().keySet().stream()
                .filter(kind -> !kind.equals(model.kind()))
                .map(kind -> new Value(kind, root -> kind(root, model.name(), kind)))
                .toList()));
    if (pairs(pipeline) <= MOST_PAIRS) {
      all.add(
          of(
              "crosses",
              EnumNames.of(pipeline.crosses().kind()),
              written(Crosses.Kind.values()),
              (root, value) -> root.put("crosses", value)));
    }
    if (pipeline.tasks().stream().anyMatch(task -> !task.binary() && judged.test(task))) {
      all.add(
          of(
              "transform",
              EnumNames.of(last(pipeline).transform()),
              written(Task.Transform.values()),
              (root, value) -> lastTask(root).put("transform", value)));
      all.add(
          of(
              "amount.loss",
              EnumNames.of(model.amount().loss()),
              written(AmountHead.Loss.values()),
              (root, value) -> firstModel(root).withObject("/amount").put("loss", value)));
    }
    all.add(
        of(
            "correction",
            EnumNames.of(pipeline.labels().correction()),
            Stream.of(DelayCorrections.values())
                .filter(correction -> suitsSome(correction, pipeline, file, judged))
                .map(EnumNames::of)
                .toList(),
            (root, value) -> root.withObject("/labels").put("correction", value)));
    all.add(
        of(
            "batch",
            pipeline.training().batch() == null
                ? "growing"
                : String.valueOf(pipeline.training().batch()),
            Arrays.stream(BATCHES).mapToObj(String::valueOf).toList(),
            (root, value) -> training(root).put("batch", Integer.parseInt(value))));
    Dense dense = pipeline.training().dense();
    all.add(
        of(
            "dense.optimizer",
            EnumNames.of(dense.optimizer()),
            written(Dense.Optimizer.values()),
            (root, value) -> optimizer(training(root).withObject("/dense"), value)));
    all.add(
        of(
            "dense.rate",
            rate(dense.learningRate(), DENSE_RATES),
            List.of(DENSE_RATES),
            (root, value) ->
                training(root).withObject("/dense").put("rate", Double.parseDouble(value))));
    Embeddings rows = pipeline.training().embeddings();
    all.add(
        of(
            "embeddings.optimizer",
            EnumNames.of(rows.optimizer()),
            written(RowOptimizers.values()),
            (root, value) -> optimizer(training(root).withObject("/embeddings"), value)));
    all.add(
        of(
            "embeddings.rate",
            rate(rows.learningRate(), ROW_RATES),
            List.of(ROW_RATES),
            (root, value) ->
                training(root).withObject("/embeddings").put("rate", Double.parseDouble(value))));
    all.add(
        of(
            "embeddings.first-order",
            rate(rows.firstOrder(), FIRST_ORDER_RATES),
            List.of(FIRST_ORDER_RATES),
            (root, value) ->
                training(root)
                    .withObject("/embeddings")
                    .put("first-order", Double.parseDouble(value))));
    all.add(
        of(
            "dim",
            dims(file),
            Arrays.stream(DIMS).mapToObj(String::valueOf).toList(),
            (root, value) -> root.path("features").forEach(field -> dim(field, value))));
    return all;
  }

  /** With its own rate, unless a choice that follows sets one. */
  private static void optimizer(ObjectNode group, String value) {
    group.put("optimizer", value).remove("rate");
  }

  /** A field that uses another one's rows has that one's size. */
  private static void dim(JsonNode field, String value) {
    if (!field.has("rows-of")) {
      ((ObjectNode) field).put("dim", Integer.parseInt(value));
    }
  }

  private interface Setter {
    void set(ObjectNode root, String value);
  }

  private static TunedChoice of(String name, String asItIs, List<String> values, Setter setter) {
    return new TunedChoice(
        name,
        asItIs,
        values.stream()
            .filter(value -> !value.equals(asItIs))
            .map(value -> new Value(value, root -> setter.set(root, value)))
            .toList());
  }

  private static List<String> written(Enum<?>[] menu) {
    return Stream.of(menu).map(EnumNames::of).toList();
  }

  /** A rate as it is written in the list of those to try, if it is one of them. */
  private static String rate(double rate, String[] tried) {
    return Stream.of(tried)
        .filter(one -> Double.parseDouble(one) == rate)
        .findAny()
        .orElse(String.valueOf(rate));
  }

  /** True if it is anything but `wait` for a task that does not say itself what it wants. */
  private static boolean suitsSome(
      DelayCorrections correction, Pipeline pipeline, ObjectNode file, Predicate<Task> judged) {
    for (int i = 0; i < pipeline.tasks().size(); i++) {
      Task task = pipeline.tasks().get(i);
      boolean open = !file.path("tasks").get(i).has("correction");
      boolean reported = task.explicit() || !correction.needsReports();
      if (open && judged.test(task) && reported && correction.suits(task.kind())) {
        return true;
      }
    }
    return false;
  }

  private static String dims(ObjectNode file) {
    List<String> dims = new ArrayList<>();
    for (JsonNode field : file.path("features")) {
      String dim = field.path("dim").asText("default");
      if (!dims.contains(dim)) {
        dims.add(dim);
      }
    }
    return dims.size() == 1 ? dims.get(0) : "mixed";
  }

  /** How many pairs there are of the fields that can be crossed. */
  private static long pairs(Pipeline pipeline) {
    long fields = pipeline.features().stream().filter(FeatureField::crossable).count();
    return fields * (fields - 1) / 2;
  }

  private static Task last(Pipeline pipeline) {
    return pipeline.tasks().get(pipeline.tasks().size() - 1);
  }

  private static ObjectNode lastTask(ObjectNode root) {
    return (ObjectNode) root.path("tasks").get(root.path("tasks").size() - 1);
  }

  private static ObjectNode training(ObjectNode root) {
    return root.withObject("/training");
  }

  private static ObjectNode firstModel(ObjectNode root) {
    return (ObjectNode) root.path("models").get(0);
  }

  /**
   * Replaces the model by one of another kind. Of its keys the amount's loss is kept; the others
   * suit the old kind alone.
   */
  private static void kind(ObjectNode root, String name, String kind) {
    ObjectNode model = root.objectNode().put("name", name).put("kind", kind);
    JsonNode amount = firstModel(root).get("amount");
    if (amount != null) {
      model.set("amount", amount);
    }
    root.putArray("models").add(model);
  }

  /** The same without the values that do not pass. */
  TunedChoice only(Predicate<Value> passes) {
    return new TunedChoice(name, asItIs, values.stream().filter(passes).toList());
  }
}
