package dev.freshet.job.events;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;

/**
 * The sources of the event topics. Offsets are Flink's, in its checkpoints; without one, reading
 * starts at the earliest offset, because labels need events that lie back a whole window.
 */
public final class KafkaSources {

  private KafkaSources() {}

  /**
   * @param bounded whether to end at the offsets that the topics have when the job starts
   */
  public static WatchedSource<Impression> impressions(Pipeline pipeline, boolean bounded) {
    return source(
        pipeline,
        List.of(pipeline.topic(SystemTopic.IMPRESSIONS)),
        MessageParser.impressions(pipeline),
        bounded);
  }

  /** As {@link #impressions} for the topics of all tasks. */
  public static WatchedSource<Feedback> feedback(Pipeline pipeline, boolean bounded) {
    return source(
        pipeline,
        new ArrayList<>(pipeline.feedbackTopics().keySet()),
        MessageParser.feedback(pipeline),
        bounded);
  }

  private static <T extends Serializable> WatchedSource<T> source(
      Pipeline pipeline, List<String> topics, MessageParser<T> parser, boolean bounded) {
    Properties properties = new Properties();
    properties.putAll(pipeline.kafka().properties());
    KafkaSourceBuilder<SourceEvent<T>> builder =
        KafkaSource.<SourceEvent<T>>builder()
            .setBootstrapServers(pipeline.kafka().bootstrap())
            .setGroupId("freshet-" + pipeline.pipeline())
            .setTopics(topics)
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setDeserializer(parser)
            .setProperties(properties)
            .setProperty("isolation.level", "read_committed");
    if (bounded) {
      builder.setBounded(OffsetsInitializer.latest());
    }
    properties.setProperty("bootstrap.servers", pipeline.kafka().bootstrap());
    return new WatchedSource<>(builder.build(), properties, pipeline.labels().idleAfter());
  }
}
