package dev.freshet.core.pipeline;

import static dev.freshet.core.settings.InvalidValueException.check;

import dev.freshet.core.events.FeedbackKind;
import dev.freshet.core.events.ImpressionFields;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.labels.LabelSettings;
import dev.freshet.core.labels.Task;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.models.ModelShape;
import dev.freshet.core.publishing.PublishingSettings;
import dev.freshet.core.publishing.Sha256;
import dev.freshet.core.publishing.SnapshotWriter;
import dev.freshet.core.settings.InvalidValueException;
import dev.freshet.core.settings.Option;
import dev.freshet.core.training.ModelContext;
import dev.freshet.core.training.TrainingSettings;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One pipeline file: all that Freshet is told. Flink's own settings stay in Flink's files. */
public record Pipeline(
    @Option("Name of the pipeline; its consumer group and its versions carry it") String pipeline,
    @Option("Kafka") KafkaSettings kafka,
    @Option("The task chain, in order: binary steps, then at most one continuous core task")
        List<Task> tasks,
    @Option("Delayed labels") LabelSettings labels,
    @Option("Fields of an impression that the models see") List<FeatureField> features,
    @Option("Models that learn side by side from the same stream") List<ModelDefinition> models,
    @Option("Training") TrainingSettings training,
    @Option("Publishing") PublishingSettings publishing)
    implements Serializable {

  public Pipeline {
    tasks = tasks.stream().map(task -> task.resolved(labels)).toList();
    training = training.resolved(tasks);
    features = List.copyOf(features);
    models = List.copyOf(models);
    check(
        pipeline.matches("[a-z][a-z0-9_-]{0,62}"),
        "pipeline",
        pipeline,
        "lower-case letters, digits, _ and -");
    check(!tasks.isEmpty(), "tasks", "[]", "at least one task");
    check(tasks.get(0).binary(), "tasks[0].kind", "continuous", "binary, for the first task");
    for (int i = 0; i < tasks.size(); i++) {
      Task task = tasks.get(i);
      check(
          task.binary() || i == tasks.size() - 1,
          "tasks[" + i + "].kind",
          "continuous",
          "binary: only the last task may be continuous");
      List<String> above = tasks.subList(0, i).stream().map(Task::name).toList();
      check(
          task.after() == null || above.contains(task.after()),
          "tasks[" + i + "].after",
          task.after(),
          above.isEmpty() ? "nothing, for the first task" : "one of " + String.join(", ", above));
    }
    unique("tasks", tasks.stream().map(Task::name).toList());
    unique("features", features.stream().map(FeatureField::name).toList());
    unique("models", models.stream().map(ModelDefinition::name).toList());
    check(!features.isEmpty(), "features", "[]", "at least one field");
    check(!models.isEmpty(), "models", "[]", "at least one model");
    ModelShape shape = ModelShape.of(tasks, new FeatureSchema(features));
    for (int i = 0; i < models.size(); i++) {
      try {
        models.get(i).requireFit(shape);
      } catch (InvalidValueException e) {
        throw new InvalidValueException("models[" + i + "]." + e.key(), e.value(), e.allowed());
      }
    }
    List<String> fields = features.stream().map(FeatureField::name).toList();
    String watched = training.scoring().watch().field();
    check(
        watched == null || fields.contains(watched),
        "training.scoring.watch.field",
        watched,
        "one of " + String.join(", ", fields));
    for (String topic : kafka.topics().keySet()) {
      boolean known =
          KafkaSettings.DEFAULTS.containsKey(topic)
              || topic.equals(KafkaSettings.EXAMPLES)
              || topic.equals(KafkaSettings.TRAINING_LOG)
              || tasks.stream().anyMatch(t -> t.name().equals(topic));
      check(
          known,
          "kafka.topics." + topic,
          topic,
          "one of impressions, models, metrics, dead-letters, examples, training-log, or a"
              + " task's name");
    }
  }

  private static void unique(String key, List<String> names) {
    for (int i = 0; i < names.size(); i++) {
      check(
          names.indexOf(names.get(i)) == i,
          key + "[" + i + "].name",
          names.get(i),
          "a name that no other has");
    }
  }

  /**
   * The Kafka topic for {@code impressions}, {@code models}, {@code metrics} or {@code
   * dead-letters}.
   */
  public String topic(String use) {
    return kafka.topics().getOrDefault(use, KafkaSettings.DEFAULTS.getOrDefault(use, use));
  }

  /** The topic of labelled examples, or null if none is wanted. */
  public String examplesTopic() {
    return kafka.topics().get(KafkaSettings.EXAMPLES);
  }

  /** The topic of what trainers do, by which versions can be made again, or null. */
  public String trainingLogTopic() {
    return kafka.topics().get(KafkaSettings.TRAINING_LOG);
  }

  /**
   * Feedback topics with the kind that each stands for; null where several tasks share one and
   * every message must say its kind.
   */
  public Map<String, String> feedbackTopics() {
    Map<String, String> kinds = new LinkedHashMap<>();
    for (Task task : tasks) {
      String topic = topic(task.name());
      kinds.put(topic, kinds.containsKey(topic) ? null : task.name());
    }
    return kinds;
  }

  public FeatureSchema schema() {
    return new FeatureSchema(features);
  }

  /** What an event format keeps of an impression. */
  public ImpressionFields impressionFields() {
    FeatureSchema schema = schema();
    return new ImpressionFields(
        schema.categorical(),
        schema.many(),
        schema.numeric(),
        tasks.stream().map(Task::name).toList());
  }

  /** What an event format checks feedback against. */
  public List<FeedbackKind> feedbackKinds() {
    return tasks.stream().map(t -> new FeedbackKind(t.name(), !t.binary(), t.explicit())).toList();
  }

  public ModelContext context(ModelDefinition model) {
    return new ModelContext(model, tasks, schema(), labels.maxWeight());
  }

  /** A model by its name. */
  public ModelDefinition model(String name) {
    return models.stream()
        .filter(m -> m.name().equals(name))
        .findAny()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no model '"
                        + name
                        + "'; allowed: "
                        + models.stream().map(ModelDefinition::name).toList()));
  }

  /** Fingerprint of everything that decides what is learnt: all but Kafka. */
  public String fingerprint() {
    String text =
        String.join(
            "\n",
            pipeline,
            tasks.toString(),
            labels.toString(),
            features.toString(),
            models.toString(),
            training.toString(),
            publishing.toString());
    return Sha256.of(text.getBytes(StandardCharsets.UTF_8));
  }

  /** A writer for the versions of one of the models. */
  public SnapshotWriter writer() {
    return new SnapshotWriter(pipeline, fingerprint(), publishing);
  }

  /** The same pipeline on other brokers. */
  public Pipeline withBootstrap(String bootstrap) {
    return with(new KafkaSettings(bootstrap, kafka.topics(), kafka.format(), kafka.properties()));
  }

  /** The same pipeline that also writes its labelled examples to a topic. */
  public Pipeline withExamplesTopic(String topic) {
    Map<String, String> topics = new LinkedHashMap<>(kafka.topics());
    topics.put(KafkaSettings.EXAMPLES, topic);
    return with(new KafkaSettings(kafka.bootstrap(), topics, kafka.format(), kafka.properties()));
  }

  private Pipeline with(KafkaSettings other) {
    return new Pipeline(pipeline, other, tasks, labels, features, models, training, publishing);
  }
}
