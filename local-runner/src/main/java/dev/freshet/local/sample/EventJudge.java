package dev.freshet.local.sample;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.core.events.EventFormats;
import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.Feedback;
import dev.freshet.core.events.FeedbackKind;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.ImpressionFields;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.pipeline.Pipeline;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Says of a message whether it is an event, as the job would. */
interface EventJudge {

  Parsed<Impression> impression(JsonNode message);

  /**
   * Feedback.
   *
   * @param topicKind what a message is that does not say its kind; null if it has to
   */
  Parsed<Feedback> feedback(JsonNode message, @Nullable String topicKind);

  /** By a pipeline's fields and tasks. */
  static EventJudge of(Pipeline pipeline) {
    EventReader reader = pipeline.lineReader();
    return new EventJudge() {
      @Override
      public Parsed<Impression> impression(JsonNode message) {
        return reader.impression(message);
      }

      @Override
      public Parsed<Feedback> feedback(JsonNode message, @Nullable String topicKind) {
        return reader.feedback(message, topicKind);
      }
    };
  }

  /** Without a pipeline: whatever has an id and a time, and feedback of any kind. */
  static EventJudge ofAny() {
    ImpressionFields none =
        new ImpressionFields(List.of(), Set.of(), List.of(), List.of(), List.of());
    return new EventJudge() {
      @Override
      public Parsed<Impression> impression(JsonNode message) {
        return reader(none, "any", false).impression(message);
      }

      @Override
      public Parsed<Feedback> feedback(JsonNode message, @Nullable String topicKind) {
        String kind = topicKind == null ? message.path("kind").asText("") : topicKind;
        boolean amount = isAmount(message.path("value"));
        return reader(none, kind, amount).feedback(message, topicKind);
      }
    };
  }

  private static EventReader reader(ImpressionFields fields, String kind, boolean amount) {
    List<FeedbackKind> kinds = List.of(new FeedbackKind(kind, amount, true));
    return new EventReader(EventFormats.JSON.create(), fields, kinds);
  }

  /** True if it is more than that something happened or did not. */
  private static boolean isAmount(JsonNode value) {
    return value.isNumber() && value.asDouble() != 0 && value.asDouble() != 1
        || value.isTextual() && !value.asText().isEmpty();
  }
}
