package dev.freshet.job;

import dev.freshet.core.counts.CountJoin;
import dev.freshet.core.counts.CountPlan;
import dev.freshet.core.counts.CountedEvent;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.FeedbackCodec;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.ImpressionCodec;
import dev.freshet.core.events.SourcePosition;
import dev.freshet.core.features.EncodedExample;
import dev.freshet.core.labels.LabelJoin;
import dev.freshet.core.labels.LabeledExample;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.TrainingSettings.Scoring;
import dev.freshet.core.snapshot.ModelRecord;
import dev.freshet.job.codec.CodecTypeInfo;
import dev.freshet.job.counts.CountFunction;
import dev.freshet.job.counts.CountJoinFunction;
import dev.freshet.job.counts.StayActiveOperator;
import dev.freshet.job.events.DeadLetter;
import dev.freshet.job.events.DeadLetterCodec;
import dev.freshet.job.events.EventWatermarks;
import dev.freshet.job.events.KafkaSources;
import dev.freshet.job.events.MessageParser;
import dev.freshet.job.events.ReleasingSourceFactory;
import dev.freshet.job.events.SourceEvent;
import dev.freshet.job.events.SplitOperator;
import dev.freshet.job.features.CompactFunction;
import dev.freshet.job.features.EncodeFunction;
import dev.freshet.job.labels.DroppedToDeadLetter;
import dev.freshet.job.labels.InterruptibleOperator;
import dev.freshet.job.labels.LabelJoinFunction;
import dev.freshet.job.publishing.KafkaSinks;
import dev.freshet.job.training.CheckpointCheck;
import dev.freshet.job.training.TrainOperator;
import java.util.Map;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.transformations.TwoInputTransformation;

/**
 * The job, step by step. Every step has a name, a description and a uid. State is found again by
 * the uid, so a uid never changes. The name is short, because it is part of the names of tasks,
 * threads and metrics; the web UI shows the description.
 *
 * <ol>
 *   <li>impressions, feedback: read, parse, watermark; dead letters to the side
 *   <li>counts, if there are any: what happened before an impression, joined to it
 *   <li>labels: keyed join of an impression with its feedback; labels are emitted as the delay
 *       corrections say
 *   <li>features: values to 64-bit keys
 *   <li>training, for each model, one task: predict, score, learn
 *   <li>publishing, chained to it: versions before the checkpoint's barrier, exactly once
 * </ol>
 */
public final class JobGraph {

  private final Pipeline pipeline;
  private final Source<SourceEvent<Impression>, ?, ?> impressions;
  private final Source<SourceEvent<Feedback>, ?, ?> feedback;
  private final KafkaSinks sinks;

  public JobGraph(
      Pipeline pipeline,
      Source<SourceEvent<Impression>, ?, ?> impressions,
      Source<SourceEvent<Feedback>, ?, ?> feedback,
      KafkaSinks sinks) {
    this.pipeline = pipeline;
    this.impressions = impressions;
    this.feedback = feedback;
    this.sinks = sinks;
  }

  /**
   * The graph on the pipeline's Kafka topics.
   *
   * @param partitions of the models topic: that of each model
   */
  public static JobGraph onKafka(Pipeline pipeline, Map<String, Integer> partitions) {
    return new JobGraph(
        pipeline,
        KafkaSources.impressions(pipeline),
        KafkaSources.feedback(pipeline),
        new KafkaSinks(pipeline, partitions));
  }

  /**
   * As {@link #graph}, for a cluster of task managers: if the pipeline wants GPUs, slots with them
   * are asked for.
   */
  public StreamGraph graphForCluster(StreamExecutionEnvironment env) {
    GpuSlots.register(env, pipeline);
    return graph(env);
  }

  /**
   * All steps, as a graph to be executed.
   *
   * @param env new, with the settings of the job
   */
  public StreamGraph graph(StreamExecutionEnvironment env) {
    build(env);
    return ReleasingSourceFactory.graph(env, name(pipeline));
  }

  /** Name of a pipeline's job. */
  public static String name(Pipeline pipeline) {
    return "freshet " + pipeline.pipeline();
  }

  private void build(StreamExecutionEnvironment env) {
    env.getConfig().enableObjectReuse();

    SingleOutputStreamOperator<Impression> shown =
        env.fromSource(
                impressions,
                EventWatermarks.strategy(pipeline.labels()),
                "read impressions",
                MessageParser.typeInfo(new ImpressionCodec()))
            .uid("read-impressions")
            .setDescription("Read, parse and validate impressions, and assign event times")
            .transform("impressions", CodecTypeInfo.IMPRESSION, new SplitOperator<>())
            .uid("impressions")
            .setDescription("Impressions go on, what is none becomes a dead letter");

    SingleOutputStreamOperator<Feedback> answered =
        env.fromSource(
                feedback,
                EventWatermarks.strategy(pipeline.labels()),
                "read feedback",
                MessageParser.typeInfo(new FeedbackCodec()))
            .uid("read-feedback")
            .setDescription("Read, parse and validate feedback, and assign event times")
            .transform("feedback", CodecTypeInfo.FEEDBACK, new SplitOperator<>())
            .uid("feedback")
            .setDescription("Feedback goes on, what is none becomes a dead letter");

    boolean announce = pipeline.training().scoring().at() == Scoring.At.IMPRESSION;
    SingleOutputStreamOperator<LabeledExample> labelled =
        compact(counted(shown, answered))
            .keyBy(Impression::id)
            .connect(answered.keyBy(Feedback::impressionId))
            .transform(
                "labels",
                CodecTypeInfo.LABELED,
                new InterruptibleOperator<>(
                    new LabelJoinFunction(
                        new LabelJoin(pipeline.tasks(), pipeline.labels(), announce),
                        pipeline.schema().layout())))
            .uid(LabelJoinFunction.UID)
            .setDescription("Hold impressions until their labels are known");

    deadLetters(shown.getSideOutput(SplitOperator.DEAD_LETTERS), "impressions");
    deadLetters(answered.getSideOutput(SplitOperator.DEAD_LETTERS), "feedback");
    DataStream<DeadLetter> leftOut =
        labelled
            .getSideOutput(LabelJoinFunction.DROPPED)
            .map(new DroppedToDeadLetter(pipeline.kafka().format().create(), pipeline.tasks()))
            .returns(new CodecTypeInfo<>(DeadLetter.class, new DeadLetterCodec(), true))
            .name("dropped")
            .uid("dropped")
            .setDescription("Events that have no part in a label become dead letters");
    if (pipeline.examplesTopic() != null) {
      labelled
          .filter(example -> !example.unlabelled())
          .name("settled")
          .uid("settled-examples")
          .setDescription("Examples that have a label")
          .sinkTo(sinks.examples())
          .name("examples")
          .uid("examples-topic")
          .setDescription("To the topic of labelled examples");
    }

    DataStream<EncodedExample> encoded =
        labelled
            .map(new EncodeFunction(pipeline.schema(), pipeline.labels().holdout()))
            .returns(CodecTypeInfo.ENCODED)
            .name("features")
            .uid("features")
            .setDescription("Make keys of values");

    DataStream<SourcePosition> positions =
        shown
            .getSideOutput(SplitOperator.POSITIONS)
            .union(answered.getSideOutput(SplitOperator.POSITIONS));
    for (ModelDefinition model : pipeline.models()) {
      leftOut = leftOut.union(train(encoded, positions, model));
    }
    deadLetters(leftOut, "labels");
  }

  /**
   * Impressions with the counts of what happened before them. Feedback says which impression it is
   * about and not of which item, so it is joined with that first; the label join cannot tell, for
   * it comes after the counts, with which impressions wait in it.
   */
  private DataStream<Impression> counted(
      DataStream<Impression> shown, DataStream<Feedback> answered) {
    CountPlan plan = pipeline.counts();
    if (plan.isEmpty()) {
      return shown;
    }
    CountJoin join = new CountJoin(plan, pipeline.tasks(), pipeline.labels());
    DataStream<CountedEvent> events =
        shown
            .map(plan::slim)
            .returns(CodecTypeInfo.IMPRESSION)
            .name("count values")
            .uid("count-values")
            .setDescription("Of impressions only the values that are counted by")
            .keyBy(Impression::id)
            .connect(
                answered
                    .filter(event -> plan.counts(event.task()))
                    .name("count feedback")
                    .uid("count-feedback")
                    .setDescription("Feedback that is counted")
                    .keyBy(Feedback::impressionId))
            .transform(
                "counted events",
                CodecTypeInfo.COUNTED_EVENT,
                new StayActiveOperator<>(new CountJoinFunction(join)))
            .uid(CountJoinFunction.UID)
            .setDescription("Events with the values of their impressions");
    DataStream<Impression> told = shown;
    for (int i = 0; i < plan.by().size(); i++) {
      told = counted(told, events, i);
    }
    return told;
  }

  private DataStream<Impression> counted(
      DataStream<Impression> shown, DataStream<CountedEvent> events, int place) {
    CountPlan.By by = pipeline.counts().by().get(place);
    return shown
        .keyBy(impression -> CountFunction.key(by, impression), Types.LONG)
        .connect(
            events
                .filter(event -> event.keys()[place] != CountPlan.NO_KEY)
                .name("events by " + by.field())
                .uid("count-events-" + by.field())
                .setDescription("Events that count by " + by.field())
                .keyBy(event -> event.keys()[place], Types.LONG))
        .transform(
            "counts by " + by.field(),
            CodecTypeInfo.IMPRESSION,
            new StayActiveOperator<>(
                new CountFunction(by, pipeline.tasks(), pipeline.schema().layout())))
        .uid(CountFunction.UID + by.field())
        .setDescription("Tell impressions what happened before them, by " + by.field());
  }

  /** Features as they wait in state: small, unless the examples topic has to tell them whole. */
  private DataStream<Impression> compact(DataStream<Impression> shown) {
    if (pipeline.examplesTopic() != null) {
      return shown;
    }
    return shown
        .map(new CompactFunction(pipeline.schema()))
        .returns(CodecTypeInfo.IMPRESSION)
        .name("compact")
        .uid("compact-features")
        .setDescription("Features as they wait in state: small");
  }

  /** Adds what learns and publishes a model; gives the examples that it could not learn. */
  private DataStream<DeadLetter> train(
      DataStream<EncodedExample> examples,
      DataStream<SourcePosition> positions,
      ModelDefinition model) {
    String name = model.name();
    SingleOutputStreamOperator<ModelRecord> versions =
        examples
            .connect(positions)
            .transform(
                "training " + name, CodecTypeInfo.MODEL_RECORD, new TrainOperator(pipeline, model))
            .uid(CheckpointCheck.UID + name)
            .setDescription("Model " + name + ": predict, score, learn, and publish versions")
            .slotSharingGroup(GpuSlots.group(name))
            .setParallelism(1)
            .setMaxParallelism(1);
    keyed(versions);
    sink(
        versions,
        sinks.models(model),
        "versions " + name,
        "models-topic-" + name,
        "Versions of model " + name + " to the models topic");
    sink(
        versions.getSideOutput(TrainOperator.METRICS),
        sinks.metrics(),
        "metrics " + name,
        "metrics-topic-" + name,
        "Records of the trainer of model " + name + ", to the metrics topic");
    if (pipeline.trainingLogTopic() != null) {
      sink(
          versions.getSideOutput(TrainOperator.LOG),
          sinks.trainingLog(model),
          "log " + name,
          "training-log-" + name,
          "Steps of the trainer of model " + name + ", to the training log");
    }
    return versions.getSideOutput(TrainOperator.LEFT_OUT);
  }

  /** Gives a trainer keyed state, for its rows. Its inputs are as they were: all is of one key. */
  @SuppressWarnings("unchecked") // the types of the step's two inputs
  private static void keyed(DataStream<ModelRecord> trainer) {
    var step =
        (TwoInputTransformation<EncodedExample, SourcePosition, ModelRecord>)
            trainer.getTransformation();
    step.setStateKeyType(Types.LONG);
    step.setStateKeySelectors(new TrainOperator.OneKey<>(), new TrainOperator.OneKey<>());
  }

  private void deadLetters(DataStream<DeadLetter> letters, String step) {
    letters
        .sinkTo(sinks.deadLetters(step))
        .name("dead " + step)
        .uid("dead-letters-" + step)
        .setDescription("Dead letters of " + step + " to their topic");
  }

  private static <T> void sink(
      DataStream<T> stream, Sink<T> sink, String name, String uid, String description) {
    stream.sinkTo(sink).name(name).uid(uid).setDescription(description).setParallelism(1);
  }
}
