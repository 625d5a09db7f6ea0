package dev.freshet.local.sample;

import dev.freshet.core.events.mapping.MessageReader;
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
    MessageReader reader = pipeline.messages();
    Map<String, String> kinds = pipeline.feedbackTopics();
    String impressions = pipeline.topic(SystemTopic.IMPRESSIONS);
    for (String topic : topics) {
      EventSample.Use use =
          topic.equals(impressions)
              ? kinds.containsKey(topic) ? EventSample.Use.ANY : EventSample.Use.IMPRESSIONS
              : kinds.containsKey(topic) ? EventSample.Use.FEEDBACK : EventSample.Use.ANY;
      readTopic(sample, pipeline, topic, reader, use, kinds.get(topic));
    }
    MessageReader lines = pipeline.lines();
    readFiles(sample, lines, lines.kind(null));
    return SampleReport.of(pipeline, sample);
  }

  /**
   * A first pipeline file for it.
   *
   * @param name of the pipeline
   * @param layout of the events
   * @param brokers a pipeline on the brokers of the topics; null without topics
   * @throws IOException if it cannot be read
   * @throws NothingFoundException if there are no impressions, no fields, or no feedback
   */
  public String draft(String name, DraftLayout layout, @Nullable Pipeline brokers)
      throws IOException {
    EventSample sample = new EventSample(EventJudge.ofAny());
    TopicUses uses = new TopicUses();
    MessageReader reader = layout.reader();
    if (brokers != null) {
      for (String topic : topics) {
        try (MessageSource messages = new TopicMessages(brokers, topic)) {
          sample.read(messages, reader, EventSample.Use.ANY, topic, null, most);
        }
        uses.add(sample.sources().get(sample.sources().size() - 1));
      }
    }
    readFiles(sample, reader, null);
    layout.requireFound(sample);
    return PipelineDraft.of(
        sample, layout, name, brokers == null ? null : brokers.kafka().bootstrap(), uses.topics());
  }

  private void readTopic(
      EventSample into,
      Pipeline brokers,
      String topic,
      MessageReader reader,
      EventSample.Use use,
      @Nullable String kind)
      throws IOException {
    try (MessageSource messages = new TopicMessages(brokers, topic)) {
      into.read(messages, reader, use, kind, topic, most);
    }
  }

  private void readFiles(EventSample into, MessageReader reader, @Nullable String kind)
      throws IOException {
    for (Path file : files) {
      try (MessageSource messages = new FileMessages(file)) {
        into.read(messages, reader, EventSample.Use.ANY, kind, null, most);
      }
    }
  }
}
