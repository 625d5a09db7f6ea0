package dev.freshet.core.pipeline;

import static dev.freshet.core.settings.InvalidValueException.check;
import static dev.freshet.core.settings.InvalidValueException.ofChecked;
import static dev.freshet.core.settings.InvalidValueException.within;

import dev.freshet.core.events.mapping.EventMapping;
import dev.freshet.core.features.Crosses;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.labels.Task;
import dev.freshet.core.models.AmountHead;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.ModelShape;
import dev.freshet.core.settings.EnumNames;
import dev.freshet.core.settings.Nearest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Rules between several keys of a pipeline file. */
final class PipelineChecks {

  /** Pattern of a model's name. */
  private static final String MODEL_NAME = "[A-Za-z0-9][A-Za-z0-9_-]{0,62}";

  private PipelineChecks() {}

  static void all(
      String pipeline,
      KafkaSettings kafka,
      Map<String, EventMapping> events,
      List<Task> tasks,
      List<FeatureField> features,
      Crosses crosses,
      List<ModelDefinition> models,
      TrainingSettings training) {
    check(
        pipeline.matches("[a-z][a-z0-9_-]{0,62}"),
        "pipeline",
        pipeline,
        "lower-case letters, digits, _ and -");
    chain(tasks);
    List<FeatureField> all = ofChecked(() -> crosses.with(features));
    unique("features", features.stream().map(FeatureField::name).toList());
    check(
        features.stream().anyMatch(FeatureField::expected),
        "features",
        features.stream().map(FeatureField::name).toList(),
        "at least one field that impressions bring");
    crossed(features, crosses, all);
    shared(features);
    attended(all.subList(0, features.size()));
    counted(features, tasks);
    List<String> fields = all.stream().map(FeatureField::name).toList();
    String watched = training.scoring().watch().field();
    check(
        watched == null || fields.contains(watched),
        "training.scoring.watch.field",
        watched,
        "one of " + String.join(", ", fields) + hint(watched, fields));
    EventChecks.all(kafka.topics(), events, tasks, features);
    models(models, tasks, all);
    for (ModelDefinition model : models) {
      check(
          training.trainers() == 1 || model.additive(),
          "training.trainers",
          training.trainers(),
          "1: model " + model.name() + " compares the examples of a batch with each other");
    }
  }

  private static void chain(List<Task> tasks) {
    check(!tasks.isEmpty(), "tasks", "[]", "at least one task");
    Set<String> reserved = new TreeSet<>(SystemTopic.keys());
    reserved.add(Task.IMPRESSION);
    reserved.add(Task.EXAMPLE);
    for (int i = 0; i < tasks.size(); i++) {
      Task task = tasks.get(i);
      String at = "tasks[" + i + "].";
      check(
          !reserved.contains(task.name()),
          at + "name",
          task.name(),
          "anything but " + String.join(", ", reserved));
      check(task.binary() || i > 0, at + "kind", "continuous", "binary, for the first task");
      check(
          task.binary() || i == 0 || i == tasks.size() - 1,
          at + "kind",
          "continuous",
          "binary: only the last task may be continuous");
      List<String> above = new ArrayList<>(List.of(Task.IMPRESSION));
      tasks.subList(0, i).forEach(earlier -> above.add(earlier.name()));
      check(
          task.after() == null || above.contains(task.after()),
          at + "after",
          task.after(),
          "one of " + String.join(", ", above) + hint(task.after(), above));
      if (task.binary()) {
        String without = "nothing, for a binary task";
        check(
            task.aggregate() == Task.Aggregate.SUM,
            at + "aggregate",
            EnumNames.of(task.aggregate()),
            without);
        check(
            task.transform() == Task.Transform.ZSCORE,
            at + "transform",
            EnumNames.of(task.transform()),
            without);
      }
    }
    unique("tasks", tasks.stream().map(Task::name).toList());
  }

  /** Rows are used of a field that has its own, and are as that field says. */
  private static void shared(List<FeatureField> features) {
    List<String> owners =
        features.stream()
            .filter(field -> field.categorical() && field.rowsOf() == null)
            .map(FeatureField::name)
            .toList();
    for (int i = 0; i < features.size(); i++) {
      FeatureField field = features.get(i);
      int owner = owners.indexOf(field.rowsOf());
      String at = "features[" + i + "].";
      if (field.rowsOf() != null) {
        check(
            owner >= 0,
            at + "rows-of",
            field.rowsOf(),
            "one of " + String.join(", ", owners) + hint(field.rowsOf(), owners));
      }
      for (FeatureField of : features) {
        if (owner >= 0 && of.name().equals(field.rowsOf())) {
          String without = "nothing, or that of " + of.name() + ", whose rows it uses";
          check(
              field.dim() == FeatureField.DIM || field.dim() == of.dim(),
              at + "dim",
              field.dim(),
              without);
          check(
              field.admitAfter() == FeatureField.ADMIT_AFTER
                  || field.admitAfter() == of.admitAfter(),
              at + "admit-after",
              field.admitAfter(),
              without);
          check(
              field.expireAfter() == null || field.expireAfter().equals(of.expireAfter()),
              at + "expire-after",
              field.expireAfter(),
              without);
        }
      }
    }
  }

  /** A list is looked at beside one row of its own size. */
  private static void attended(List<FeatureField> features) {
    List<String> names = features.stream().map(FeatureField::name).toList();
    for (int i = 0; i < features.size(); i++) {
      FeatureField field = features.get(i);
      // Whose rows are nobody's has no size yet, and is told as that.
      boolean sized = field.rowsOf() == null || names.contains(field.rowsOf());
      if (field.attends() && field.many() && field.target() != null && sized) {
        List<String> targets =
            features.stream()
                .filter(of -> of.categorical() && !of.many() && of.dim() == field.dim())
                .map(FeatureField::name)
                .toList();
        String size = "rows of dim " + field.dim() + " as well";
        if (targets.isEmpty()) {
          String none = "mean: no categorical field has one value and " + size;
          check(false, "features[" + i + "].pooling", "attention", none);
        } else {
          String at = "features[" + i + "].target";
          oneOf(at, field.target(), targets, ", which have one value and " + size);
        }
      }
    }
  }

  /**
   * Counted events must happen here, and each impression have one value at most by which it counts.
   */
  private static void counted(List<FeatureField> features, List<Task> tasks) {
    List<String> events = new ArrayList<>(List.of(Task.IMPRESSION));
    tasks.forEach(task -> events.add(task.name()));
    List<String> single =
        features.stream()
            .filter(field -> field.categorical() && !field.many())
            .map(FeatureField::name)
            .toList();
    for (int i = 0; i < features.size(); i++) {
      FeatureField field = features.get(i);
      if (field.counted()) {
        String at = "features[" + i + "].";
        field.of().forEach(event -> oneOf(at + "of", event, events, ""));
        if (field.by() != null) {
          oneOf(at + "by", field.by(), single, ", which have one value");
        }
        if (field.per() != null) {
          oneOf(at + "per", field.per(), events, "");
        }
      }
    }
  }

  private static void oneOf(String key, String written, List<String> allowed, String why) {
    check(
        allowed.contains(written),
        key,
        written,
        "one of " + String.join(", ", allowed) + why + hint(written, allowed));
  }

  /** Only what has values is crossed, and every cross has a name and fields of its own. */
  private static void crossed(
      List<FeatureField> features, Crosses crosses, List<FeatureField> withCrosses) {
    List<String> plain =
        features.stream().filter(FeatureField::crossable).map(FeatureField::name).toList();
    String allowed = "one of " + String.join(", ", plain);
    List<String> numbers =
        features.stream()
            .filter(field -> !field.crossable() && !field.cross())
            .map(FeatureField::name)
            .toList();
    String buckets = "; numbers that are multiplied have no values to combine, those in buckets do";
    for (int i = 0; i < features.size(); i++) {
      for (String part : features.get(i).cross() ? features.get(i).of() : List.<String>of()) {
        check(
            plain.contains(part),
            "features[" + i + "].of",
            part,
            allowed + (numbers.contains(part) ? buckets : hint(part, plain)));
      }
    }
    for (String part : crosses.of()) {
      check(
          plain.contains(part),
          "crosses.of",
          part,
          allowed + (numbers.contains(part) ? buckets : hint(part, plain)));
    }
    check(
        crosses.kind() == Crosses.Kind.NONE || plain.size() > 1,
        "crosses.kind",
        EnumNames.of(crosses.kind()),
        "none, where there is one field only that can be crossed");
    List<String> all = withCrosses.stream().map(FeatureField::name).toList();
    for (String cross : all.subList(features.size(), all.size())) {
      int at = all.indexOf(cross);
      check(
          at >= features.size(),
          "features[" + at + "].name",
          cross,
          "a name that no cross of `crosses` has");
    }
  }

  private static void models(
      List<ModelDefinition> models, List<Task> tasks, List<FeatureField> features) {
    check(!models.isEmpty(), "models", "[]", "at least one model");
    // Names become keys of messages, names of metrics and of files, which not all tell case apart.
    unique(
        "models",
        models.stream().map(ModelDefinition::name).toList(),
        name -> name.toLowerCase(Locale.ROOT));
    ModelShape shape = ModelShape.of(tasks, new FeatureSchema(features));
    for (int i = 0; i < models.size(); i++) {
      ModelDefinition model = models.get(i);
      within(
          "models[" + i + "]",
          () -> {
            check(
                model.name().matches(MODEL_NAME),
                "name",
                model.name(),
                "letters, digits, _ and -, up to 63, the first no _ or -");
            check(
                shape.core() || model.amount().loss() == AmountHead.Loss.SQUARED,
                "amount.loss",
                EnumNames.of(model.amount().loss()),
                "nothing, where no task is continuous");
            model.requireFit(shape);
            return null;
          });
    }
  }

  private static void unique(String key, List<String> names) {
    unique(key, names, name -> name);
  }

  private static void unique(String key, List<String> names, UnaryOperator<String> same) {
    List<String> compared = names.stream().map(same).toList();
    for (int i = 0; i < names.size(); i++) {
      check(
          compared.indexOf(compared.get(i)) == i,
          key + "[" + i + "].name",
          names.get(i),
          "a name that no other has");
    }
  }

  static String hint(@Nullable String written, Collection<String> known) {
    return written == null ? "" : Nearest.hint(written, known);
  }
}
