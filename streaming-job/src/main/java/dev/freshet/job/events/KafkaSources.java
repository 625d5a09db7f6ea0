package dev.freshet.job.events;

import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.pipeline.KafkaSettings;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;

/**
 * The sources of the event topics. Offsets are Flink's, in its checkpoints; without one, reading
 * starts at the earliest offset, because labels need events that lie back a whole window.
 *
 * <p>They have no end: a source that was told one forgets it when it is restored. Who wants the job
 * to end stops it, with a drain, when a checkpoint covers all there is.
 */
public final class KafkaSources {

  private KafkaSources() {}

  /** The source of the impressions topic. */
  public static WatchedSource<Impression> impressions(Pipeline pipeline) {
    return source(
        pipeline,
        List.of(pipeline.topic(SystemTopic.IMPRESSIONS)),
        MessageParser.impressions(pipeline));
  }

  /** As {@link #impressions} for the topics of all tasks. */
  public static WatchedSource<Feedback> feedback(Pipeline pipeline) {
    return source(
        pipeline,
        new ArrayList<>(pipeline.feedbackTopics().keySet()),
        MessageParser.feedback(pipeline));
  }

  private static <T extends Serializable> WatchedSource<T> source(
      Pipeline pipeline, List<String> topics, MessageParser<T> parser) {
    Properties properties = new Properties();
    properties.putAll(pipeline.kafka().properties());
    KafkaSource<SourceEvent<T>> source =
        KafkaSource.<SourceEvent<T>>builder()
            .setBootstrapServers(pipeline.kafka().bootstrap())
            .setGroupId(pipeline.consumerGroup())
            .setTopics(topics)
            .setStartingOffsets(start(pipeline.kafka()))
            .setDeserializer(parser)
            .setProperties(properties)
            .setProperty("isolation.level", "read_committed")
            .build();
    properties.setProperty("bootstrap.servers", pipeline.kafka().bootstrap());
    return new WatchedSource<>(source, properties, pipeline.labels().idleAfter());
  }

  /** Of a job without a checkpoint. */
  private static OffsetsInitializer start(KafkaSettings kafka) {
    return kafka
        .startTime()
        .map(time -> OffsetsInitializer.timestamp(time.toEpochMilli()))
        .orElse(
            kafka.start().equals(KafkaSettings.LATEST)
                ? OffsetsInitializer.latest()
                : OffsetsInitializer.earliest());
  }
}
