package dev.freshet.core.pipeline;

import static dev.freshet.core.settings.InvalidValueException.within;

import dev.freshet.core.codec.Sha256;
import dev.freshet.core.counts.CountPlan;
import dev.freshet.core.events.EventFormats;
import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.FeedbackKind;
import dev.freshet.core.events.ImpressionFields;
import dev.freshet.core.events.mapping.EventMapping;
import dev.freshet.core.events.mapping.MessageReader;
import dev.freshet.core.features.Crosses;
import dev.freshet.core.features.FeatureField;
import dev.freshet.core.features.FeatureSchema;
import dev.freshet.core.labels.LabelSettings;
import dev.freshet.core.labels.Task;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.network.ModelContext;
import dev.freshet.core.settings.Option;
import dev.freshet.core.settings.RecordText;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** One pipeline file: all that Freshet is told. Flink's own settings stay in Flink's files. */
public record Pipeline(
    @Option("Name of the pipeline; its consumer group and its versions carry it") String pipeline,
    @Option("Kafka") KafkaSettings kafka,
    @Option(
            value =
                "Layouts of your own, of `impressions` and of each task by its name: where in their"
                    + " messages the pieces of an event are. What is not named here lies as events.md"
                    + " says",
            fallback = "")
        Map<String, EventMapping> events,
    @Option("The task chain, in order: binary steps, then at most one continuous core task")
        List<Task> tasks,
    @Option("Delayed labels") LabelSettings labels,
    @Option("Fields that the models see, of impressions, made from them, or counted")
        List<FeatureField> features,
    @Option("Crosses of many fields at once") Crosses crosses,
    @Option("Models that learn side by side from the same stream") List<ModelDefinition> models,
    @Option("Training") TrainingSettings training,
    @Option("Publishing") PublishingSettings publishing)
    implements Serializable {

  /** A window of which what is served is not what is judged when its label is told. */
  public static final Duration LONG_WINDOW = Duration.ofDays(1);

  public Pipeline {
    List<Task> declared = tasks;
    LabelSettings general = labels;
    tasks =
        IntStream.range(0, declared.size())
            .mapToObj(i -> within("tasks[" + i + "]", () -> declared.get(i).resolved(general)))
            .toList();
    List<Task> chain = tasks;
    TrainingSettings asked = training;
    training = within("training", () -> asked.resolved(chain));
    features = List.copyOf(features);
    models = List.copyOf(models);
    events = new TreeMap<>(events);
    PipelineChecks.all(pipeline, kafka, events, tasks, features, crosses, models, training);
  }

  /**
   * The name of a topic.
   *
   * @throws IllegalStateException if there is only one if it is named, and it is not
   */
  public String topic(SystemTopic use) {
    return named(use).orElseThrow(() -> new IllegalStateException(use.key() + " is not named"));
  }

  /** The name of a topic; none for one that there is only if it is named, and it is not. */
  public Optional<String> named(SystemTopic use) {
    return Optional.ofNullable(kafka.topics().get(use.key()))
        .or(() -> Optional.ofNullable(use.usual()));
  }

  /** The topic of a task's feedback. */
  public String topic(Task task) {
    return kafka.topics().getOrDefault(task.name(), task.name());
  }

  /** The topic of labelled examples, or null if none is wanted. */
  public @Nullable String examplesTopic() {
    return named(SystemTopic.EXAMPLES).orElse(null);
  }

  /** The topic of what trainers do, by which versions can be made again, or null. */
  public @Nullable String trainingLogTopic() {
    return named(SystemTopic.TRAINING_LOG).orElse(null);
  }

  /**
   * Feedback topics with the kind that each stands for; null where several tasks share one and
   * every message must say its kind.
   */
  public Map<String, String> feedbackTopics() {
    Map<String, String> kinds = new LinkedHashMap<>();
    for (Task task : tasks) {
      String topic = topic(task);
      kinds.put(topic, kinds.containsKey(topic) ? null : task.name());
    }
    return kinds;
  }

  /** All fields that the models see: the listed ones and the crosses of many at once. */
  public FeatureSchema schema() {
    return new FeatureSchema(crosses.with(features));
  }

  /** Counts of the stream; none if no field is a count. */
  public CountPlan counts() {
    return CountPlan.of(schema(), tasks);
  }

  /** Names of the fields that impressions bring. */
  public List<String> expectedFields() {
    return features.stream().filter(FeatureField::expected).map(FeatureField::name).toList();
  }

  /** Fields that an event format keeps of an impression. */
  public ImpressionFields impressionFields() {
    FeatureSchema schema = schema();
    return new ImpressionFields(
        schema.categorical(),
        schema.many(),
        schema.withWeights(),
        schema.numeric(),
        schema.fields().stream()
            .filter(FeatureField::counted)
            .map(FeatureField::name)
            .collect(Collectors.toSet()),
        schema.vectors(),
        tasks.stream().map(Task::name).toList(),
        tasks.stream().anyMatch(task -> task.deadline().present())
            ? tasks.stream().map(Task::deadline).toList()
            : List.of());
  }

  /** Kinds that feedback is checked against. */
  public List<FeedbackKind> feedbackKinds() {
    return tasks.stream().map(t -> new FeedbackKind(t.name(), !t.binary(), t.explicit())).toList();
  }

  /** Reads messages of the event topics, which lie as {@link #events} says. */
  public MessageReader messages() {
    return messages(kafka.format());
  }

  /** As {@link #messages}, of lines of files, which are JSON whatever the topics are. */
  public MessageReader lines() {
    return messages(EventFormats.JSON);
  }

  private MessageReader messages(EventFormats format) {
    List<FeedbackKind> kinds = feedbackKinds();
    List<MessageReader.Kind> mapped = new ArrayList<>();
    for (int i = 0; i < tasks.size(); i++) {
      Task task = tasks.get(i);
      mapped.add(new MessageReader.Kind(kinds.get(i), topic(task), events.get(task.name())));
    }
    return new MessageReader(
        format.create(), reader(format), events.get(SystemTopic.IMPRESSIONS.key()), mapped);
  }

  /** Reads events that lie as {@link EventReader} says. */
  public EventReader eventReader() {
    return reader(kafka.format());
  }

  /** Reads lines of files of events, which are JSON whatever the topics are. */
  public EventReader lineReader() {
    return reader(EventFormats.JSON);
  }

  private EventReader reader(EventFormats format) {
    return new EventReader(format.create(), impressionFields(), feedbackKinds());
  }

  public ModelContext context(ModelDefinition model) {
    return new ModelContext(model, tasks, schema(), labels.maxWeight());
  }

  /**
   * True if what is judged of a task is predicted when its label is told, a long time after the
   * impression: a model has learnt by then from what was shown meanwhile.
   */
  public boolean judgedLate(Task task) {
    return training.scoring().at() == TrainingSettings.Scoring.At.LABEL
        && task.window().compareTo(LONG_WINDOW) >= 0;
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

  /** The group as which the job's sources commit how far they have read. */
  public String consumerGroup() {
    return "freshet-" + pipeline;
  }

  /** Fingerprint of everything that decides what is learnt: all but Kafka and the device. */
  public String fingerprint() {
    RecordText text = new RecordText().add("pipeline", pipeline);
    text.add("tasks", tasks).add("features", features);
    text.add("crosses", crosses);
    events.forEach((use, mapping) -> text.add("events." + use, mapping));
    text.add("labels", labels)
        .add("training", training.withDevice(TrainingSettings.Device.AUTO))
        .add("publishing", publishing);
    for (int i = 0; i < models.size(); i++) {
      String path = "models[" + i + "]";
      text.add(path, models.get(i)).add(path + ".kind", models.get(i).kind());
    }
    return Sha256.of(text.toString().getBytes(StandardCharsets.UTF_8));
  }

  /** The same pipeline on other brokers. */
  public Pipeline withBootstrap(String bootstrap) {
    return with(kafka.withBootstrap(bootstrap));
  }

  /**
   * The same pipeline, whose job begins to read elsewhere.
   *
   * @param start as {@link KafkaSettings#start}
   */
  public Pipeline withStart(String start) {
    return with(kafka.withStart(start));
  }

  /** The same pipeline on a single broker, which holds one replica of everything. */
  public Pipeline onOneBroker(String bootstrap) {
    return with(kafka.onOneBroker(bootstrap));
  }

  /** The same pipeline that also writes its labelled examples to a topic. */
  public Pipeline withExamplesTopic(String topic) {
    Map<String, String> topics = new LinkedHashMap<>(kafka.topics());
    topics.put(SystemTopic.EXAMPLES.key(), topic);
    return with(kafka.withTopics(topics));
  }

  /** The same pipeline, with a topic for impressions that no feedback is on. */
  public Pipeline withImpressionsApart() {
    String impressions = topic(SystemTopic.IMPRESSIONS);
    if (!feedbackTopics().containsKey(impressions)) {
      return this;
    }
    Map<String, String> topics = new LinkedHashMap<>(kafka.topics());
    topics.put(SystemTopic.IMPRESSIONS.key(), impressions + ".impressions");
    return with(kafka.withTopics(topics));
  }

  /** The same pipeline, learning on another device. */
  public Pipeline withDevice(TrainingSettings.Device device) {
    return with(kafka, training.withDevice(device));
  }

  private Pipeline with(KafkaSettings other) {
    return with(other, training);
  }

  private Pipeline with(KafkaSettings brokers, TrainingSettings learning) {
    return with(brokers, events, learning);
  }

  private Pipeline with(
      KafkaSettings brokers, Map<String, EventMapping> mappings, TrainingSettings learning) {
    return new Pipeline(
        pipeline,
        brokers,
        mappings,
        tasks,
        labels,
        features,
        crosses,
        models,
        learning,
        publishing);
  }
}
