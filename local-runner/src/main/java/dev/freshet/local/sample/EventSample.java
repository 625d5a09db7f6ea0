package dev.freshet.local.sample;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.RejectReason;
import dev.freshet.core.events.Rejection;
import dev.freshet.core.events.mapping.MessageReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Events that were read from files and topics, in memory. */
final class EventSample {

  /** What a source's messages are. */
  enum Use {
    IMPRESSIONS,
    FEEDBACK,
    /** Each is what it looks like. */
    ANY
  }

  /**
   * Feedback.
   *
   * @param time epoch milliseconds
   */
  record Event(String impression, String kind, long time, double value) {}

  private static final double FEW = 0.001;

  private final EventJudge judge;
  private final List<SourceProfile> sources = new ArrayList<>();
  private final Map<String, FieldProfile> fields = new LinkedHashMap<>();
  private final Map<String, Long> shown = new HashMap<>();
  private final List<Event> events = new ArrayList<>();
  private final Set<String> eventIds = new HashSet<>();
  private long impressions;
  private long repeatedImpressions;
  private long repeatedEvents;
  private final Numbers times = new Numbers();

  /** What the first impression has, beside features. */
  private final List<String> names = new ArrayList<>();

  /** Kinds of feedback of which some was refused, and why the first was. */
  private final Map<String, String> refusedKinds = new LinkedHashMap<>();

  private boolean cut;

  EventSample(EventJudge judge) {
    this.judge = judge;
  }

  /**
   * Reads messages of a source.
   *
   * @param topicKind what feedback is that does not say its kind; null if it has to
   * @param topic that they are from, or null
   * @param most messages that are read
   */
  void read(
      MessageSource from,
      MessageReader reader,
      Use use,
      @Nullable String topicKind,
      @Nullable String topic,
      long most)
      throws IOException {
    SourceProfile source = new SourceProfile(from.name());
    sources.add(source);
    for (MessageSource.Message one = from.next(); one != null; one = from.next()) {
      if (source.messages() == most) {
        source.cut();
        cut |= source.impressions() > 0;
        return;
      }
      source.message();
      add(source, one, reader, use, topicKind, topic);
    }
    if (!from.whole()) {
      source.cut();
      cut |= source.impressions() > 0;
    }
  }

  private void add(
      SourceProfile source,
      MessageSource.Message one,
      MessageReader reader,
      Use use,
      @Nullable String topicKind,
      @Nullable String topic) {
    if (one.tooLong()) {
      source.refused(
          one.place(),
          new Rejection(RejectReason.TOO_LARGE, "message", "", "a line of up to 1,000,000 bytes"),
          MissingNode.getInstance());
      return;
    }
    Parsed<JsonNode> read = reader.tree(one.bytes());
    JsonNode message = read.event();
    if (message == null) {
      source.refused(one.place(), requireNonNull(read.rejection()), MissingNode.getInstance());
      return;
    }
    boolean answers =
        use == Use.FEEDBACK
            || use == Use.ANY
                && !message.has("features")
                && (message.has("kind") || message.has("event_id"));
    List<Parsed<JsonNode>> shown =
        use == Use.FEEDBACK || answers && !reader.mapsImpressions()
            ? List.of()
            : reader.impressionTrees(read);
    List<Parsed<JsonNode>> answered =
        use == Use.IMPRESSIONS || !answers && !reader.mapsFeedback()
            ? List.of()
            : reader.feedbackTrees(read, topic);
    for (Parsed<JsonNode> event : shown) {
      if (accepted(source, one, event, message)) {
        impression(source, one, requireNonNull(event.event()), message, !answered.isEmpty());
      }
    }
    for (Parsed<JsonNode> event : answered) {
      if (accepted(source, one, event, message)) {
        feedback(source, one, requireNonNull(event.event()), message, topicKind);
      }
    }
    if (shown.isEmpty() && answered.isEmpty()) {
      source.passedOver();
    }
  }

  private static boolean accepted(
      SourceProfile source, MessageSource.Message one, Parsed<JsonNode> event, JsonNode message) {
    if (event.rejection() != null) {
      source.refused(one.place(), event.rejection(), message);
    }
    return event.rejection() == null;
  }

  private void impression(
      SourceProfile source,
      MessageSource.Message one,
      JsonNode message,
      JsonNode whole,
      boolean answered) {
    Parsed<Impression> parsed = judge.impression(message);
    Impression impression = parsed.event();
    if (impression == null) {
      source.refused(one.place(), requireNonNull(parsed.rejection()), whole);
      return;
    }
    source.impression(one.lane(), impression.eventTime());
    if (names.isEmpty()) {
      message.fieldNames().forEachRemaining(names::add);
    }
    if (shown.putIfAbsent(impression.id(), impression.eventTime()) != null) {
      repeatedImpressions++;
      return;
    }
    impressions++;
    times.add(impression.eventTime());
    message
        .path("features")
        .properties()
        .forEach(
            field ->
                fields
                    .computeIfAbsent(field.getKey(), name -> new FieldProfile())
                    .add(field.getValue(), answered));
  }

  private void feedback(
      SourceProfile source,
      MessageSource.Message one,
      JsonNode message,
      JsonNode whole,
      @Nullable String topicKind) {
    Parsed<Feedback> parsed = judge.feedback(message, topicKind);
    Feedback feedback = parsed.event();
    if (feedback == null) {
      Rejection why = requireNonNull(parsed.rejection());
      source.refused(one.place(), why, whole);
      String said = message.path("kind").asText("");
      if (!said.isEmpty()) {
        refusedKinds.putIfAbsent(said, why.toString());
      }
      return;
    }
    String kind = message.path("kind").asText(topicKind);
    source.feedback(kind, one.lane(), feedback.eventTime());
    if (eventIds.add(kind + '\0' + feedback.impressionId() + '\0' + feedback.eventId())) {
      events.add(new Event(feedback.impressionId(), kind, feedback.eventTime(), feedback.value()));
    } else {
      repeatedEvents++;
    }
  }

  List<SourceProfile> sources() {
    return sources;
  }

  /** By name; all that the impressions have, in the order of their coming. */
  Map<String, FieldProfile> fields() {
    return fields;
  }

  /** Impressions, each once. */
  long impressions() {
    return impressions;
  }

  /** When an impression was shown, or null if it is not in the sample. */
  @Nullable Long shownAt(String impression) {
    return shown.get(impression);
  }

  /** Feedback, each once. */
  List<Event> events() {
    return events;
  }

  /** Impressions whose ids were there already. */
  long repeatedImpressions() {
    return repeatedImpressions;
  }

  /** Feedback whose ids were there already. */
  long repeatedEvents() {
    return repeatedEvents;
  }

  /** Names at the top level of the first impression. */
  List<String> names() {
    return names;
  }

  /** Kinds of feedback of which some was refused, and why the first was. */
  Map<String, String> refusedKinds() {
    return refusedKinds;
  }

  /** When impressions were shown, epoch milliseconds; there is one. */
  Numbers times() {
    return times;
  }

  /** From the first to the last impression but for one in a thousand, whose clock may be wrong. */
  long span() {
    return (long) (times.quantile(1 - FEW) - times.quantile(FEW));
  }

  /** True if an event's impression should be in the sample. */
  boolean covers(Event event) {
    return !cut || event.time() >= times.quantile(FEW) && event.time() <= times.quantile(1 - FEW);
  }
}
