package dev.freshet.core.events.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.core.events.EventFormat;
import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.FeedbackKind;
import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.UnreadableMessageException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the events of messages: a format makes a tree of the bytes, the pipeline's mappings lay it
 * out, an {@link EventReader} makes events of it. A message may hold several, or none: then it is
 * passed over. Never throws on bad input.
 */
public final class MessageReader implements Serializable {

  private static final long serialVersionUID = 1L;

  private final EventFormat format;
  private final EventReader reader;
  private final @Nullable EventMapping impressions;
  private final List<Kind> kinds;

  private transient @Nullable Mappers mappers;

  /**
   * A kind of feedback.
   *
   * @param topic where it comes from
   * @param mapping null where it lies as {@link EventReader} reads it
   */
  public record Kind(FeedbackKind kind, String topic, @Nullable EventMapping mapping)
      implements Serializable {}

  /** What is made of the mappings, by each process for itself. */
  private record Mappers(@Nullable EventMapper impressions, Map<Kind, EventMapper> feedback) {}

  /**
   * @param impressions null where they lie as {@link EventReader} reads them
   * @param kinds in the order of the tasks
   */
  public MessageReader(
      EventFormat format,
      EventReader reader,
      @Nullable EventMapping impressions,
      List<Kind> kinds) {
    this.format = format;
    this.reader = reader;
    this.impressions = impressions;
    this.kinds = List.copyOf(kinds);
  }

  /** True if impressions are mapped. */
  public boolean mapsImpressions() {
    return impressions != null;
  }

  /** True if some feedback is mapped. */
  public boolean mapsFeedback() {
    return !mappers().feedback.isEmpty();
  }

  private Mappers mappers() {
    if (mappers == null) {
      Map<Kind, EventMapper> feedback = new LinkedHashMap<>();
      for (Kind kind : kinds) {
        if (kind.mapping != null) {
          feedback.put(
              kind, EventMapper.ofFeedback(kind.mapping, kind.kind.name(), kind.kind.continuous()));
        }
      }
      mappers =
          new Mappers(
              impressions == null ? null : EventMapper.ofImpressions(impressions), feedback);
    }
    return mappers;
  }

  /** Counts of the feature fields of the impressions that this instance has read. */
  public FieldCounts fieldCounts() {
    return reader.fieldCounts();
  }

  /** The impressions of a message; null for one without a body. */
  public List<Parsed<Impression>> impressions(byte @Nullable [] message) {
    List<Parsed<Impression>> events = new ArrayList<>(1);
    for (Parsed<JsonNode> tree : impressionTrees(tree(message))) {
      events.add(tree.then(reader::impression));
    }
    return events;
  }

  /**
   * The feedback of a message; null for one without a body.
   *
   * @param topic that it is from; null for a file, which may hold that of all topics
   */
  public List<Parsed<Feedback>> feedback(byte @Nullable [] message, @Nullable String topic) {
    String kind = kind(topic);
    List<Parsed<Feedback>> events = new ArrayList<>(1);
    for (Parsed<JsonNode> tree : feedbackTrees(tree(message), topic)) {
      events.add(tree.then(event -> reader.feedback(event, kind)));
    }
    return events;
  }

  /** A message as its format has it. */
  public Parsed<JsonNode> tree(byte @Nullable [] message) {
    try {
      return Parsed.of(format.read(message));
    } catch (UnreadableMessageException e) {
      return Parsed.rejected(e.rejection());
    }
  }

  /** The impressions of a message, laid out as {@link EventReader} reads them. */
  public List<Parsed<JsonNode>> impressionTrees(Parsed<JsonNode> message) {
    EventMapper mapper = mappers().impressions;
    return mapper == null || message.event() == null
        ? List.of(message)
        : mapper.events(message.event());
  }

  /** As {@link #impressionTrees}, of feedback; what was mapped says its kind. */
  public List<Parsed<JsonNode>> feedbackTrees(Parsed<JsonNode> message, @Nullable String topic) {
    Map<Kind, EventMapper> mapped = mappers().feedback;
    if (mapped.isEmpty() || message.event() == null) {
      return List.of(message);
    }
    boolean all = true;
    List<Parsed<JsonNode>> events = new ArrayList<>(1);
    for (Kind kind : kinds) {
      if (topic == null || kind.topic.equals(topic)) {
        EventMapper mapper = mapped.get(kind);
        all &= mapper != null;
        if (mapper != null) {
          events.addAll(mapper.events(message.event()));
        }
      }
    }
    return all || !events.isEmpty() ? events : List.of(message);
  }

  /**
   * As {@link #feedbackTrees}, of a line of a file: by the topics that it is to be sent to. What is
   * not mapped belongs to the topic of the kind that it says, or if it says none that there is to
   * the first.
   */
  public Map<String, List<Parsed<JsonNode>>> feedbackByTopic(Parsed<JsonNode> message) {
    Map<String, List<Parsed<JsonNode>>> events = new LinkedHashMap<>();
    List<Kind> others = new ArrayList<>();
    for (Kind kind : kinds) {
      EventMapper mapper = mappers().feedback.get(kind);
      if (mapper == null) {
        others.add(kind);
      } else if (message.event() != null) {
        List<Parsed<JsonNode>> found = mapper.events(message.event());
        if (!found.isEmpty()) {
          events.computeIfAbsent(kind.topic, topic -> new ArrayList<>()).addAll(found);
        }
      }
    }
    if (events.isEmpty() && (!others.isEmpty() || message.event() == null)) {
      String said = message.event() == null ? "" : message.event().path("kind").asText("");
      List<Kind> among = others.isEmpty() ? kinds : others;
      Kind of =
          among.stream().filter(k -> k.kind.name().equals(said)).findFirst().orElse(among.get(0));
      events.put(of.topic, List.of(message));
    }
    return events;
  }

  /** What feedback of a topic is that does not say its kind; null where it has to. */
  public @Nullable String kind(@Nullable String topic) {
    String only = null;
    int count = 0;
    for (Kind kind : kinds) {
      if (topic == null || kind.topic.equals(topic)) {
        only = kind.kind.name();
        count++;
      }
    }
    return count == 1 ? only : null;
  }
}
