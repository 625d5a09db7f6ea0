package dev.freshet.local.sample;

import dev.freshet.core.events.EventFormat;
import dev.freshet.core.events.EventFormats;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a sample is read from.
 *
 * @param files of events, impressions and feedback in any of them
 * @param topics on the pipeline's brokers
 * @param most messages of each that are read
 */
public record Sampling(List<Path> files, List<String> topics, long most) {

  public Sampling {
    files = List.copyOf(files);
    topics = List.copyOf(topics);
  }

  /** What the pipeline makes of it. */
  public SampleReport report(Pipeline pipeline) throws IOException {
    EventSample sample = new EventSample(EventJudge.of(pipeline));
    EventFormat format = pipeline.kafka().format().create();
    Map<String, String> kinds = pipeline.feedbackTopics();
    String impressions = pipeline.topic(SystemTopic.IMPRESSIONS);
    for (String topic : topics) {
      EventSample.Use use =
          topic.equals(impressions)
              ? EventSample.Use.IMPRESSIONS
              : kinds.containsKey(topic) ? EventSample.Use.FEEDBACK : EventSample.Use.ANY;
      readTopic(sample, pipeline, topic, format, use, kinds.get(topic));
    }
    String only = pipeline.tasks().size() == 1 ? pipeline.tasks().get(0).name() : null;
    readFiles(sample, only);
    return SampleReport.of(pipeline, sample);
  }

  /**
   * A first pipeline file for it.
   *
   * @param name of the pipeline
   * @param brokers a pipeline on the brokers of the topics; null without topics
   * @throws IOException if it cannot be read
   * @throws NothingFoundException if there are no impressions, no fields, or no feedback
   */
  public String draft(String name, @Nullable Pipeline brokers) throws IOException {
    EventSample sample = new EventSample(EventJudge.ofAny());
    TopicUses uses = new TopicUses();
    EventFormat json = EventFormats.JSON.create();
    if (brokers != null) {
      for (String topic : topics) {
        readTopic(sample, brokers, topic, json, EventSample.Use.ANY, topic);
        uses.add(sample.sources().get(sample.sources().size() - 1));
      }
    }
    readFiles(sample, null);
    return PipelineDraft.of(
        sample, name, brokers == null ? null : brokers.kafka().bootstrap(), uses.topics());
  }

  private void readTopic(
      EventSample into,
      Pipeline brokers,
      String topic,
      EventFormat format,
      EventSample.Use use,
      @Nullable String kind)
      throws IOException {
    try (MessageSource messages = new TopicMessages(brokers, topic)) {
      into.read(messages, format, use, kind, most);
    }
  }

  private void readFiles(EventSample into, @Nullable String kind) throws IOException {
    for (Path file : files) {
      try (MessageSource messages = new FileMessages(file)) {
        into.read(messages, EventFormats.JSON.create(), EventSample.Use.ANY, kind, most);
      }
    }
  }
}
