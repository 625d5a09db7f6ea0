package dev.freshet.local.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.EventFormat;
import dev.freshet.core.events.EventFormats;
import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.UnreadableMessageException;
import dev.freshet.core.events.mapping.MessageReader;
import dev.freshet.core.labels.Task;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.pipeline.SystemTopic;
import dev.freshet.experiments.files.EventLine;
import dev.freshet.experiments.files.EventLines;
import dev.freshet.local.replay.ArrivalTimes;
import dev.freshet.local.run.LearntBefore.Fate;
import dev.freshet.local.run.RunRecord.Input;
import dev.freshet.local.sample.FileMessages;
import dev.freshet.local.signals.EndRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Sends files of events line by line, but for what is learnt already. */
final class EventSender {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final EventFormat LINES = EventFormats.JSON.create();

  private final LocalRun run;
  private final Pipeline pipeline;
  private final ResumingProducer producer;
  private final LearntBefore before;
  private final EndRequest end;
  private final EventFormat format;
  private final MessageReader reader;
  private final List<String> fields;

  private record Message(String key, byte[] value) {}

  EventSender(LocalRun run, ResumingProducer producer, LearntBefore before, EndRequest end) {
    this.run = run;
    pipeline = run.pipeline();
    this.producer = producer;
    this.before = before;
    this.end = end;
    format = pipeline.kafka().format().create();
    reader = pipeline.lines();
    fields = pipeline.expectedFields();
  }

  /** Sends a file; null if the end was wanted before all of it was sent. */
  @Nullable InputCounts send(Input input) throws Exception {
    boolean shown = input.use().equals(ReplayInputs.IMPRESSIONS);
    InputCounts.Counter counter = new InputCounts.Counter(Path.of(input.path()));
    // A topic's lines are in order among themselves; a file may hold several kinds one by one.
    Map<String, ArrivalTimes<Message>> topics = new HashMap<>();
    try (EventLines lines = EventLines.open(Path.of(input.path()), FileMessages.LONGEST_LINE)) {
      for (EventLine line = lines.next(); line != null; line = lines.next()) {
        if (end.made()) {
          return null;
        }
        counter.read(line.number());
        if (line.tooLong()) {
          counter.tooLong();
          continue;
        }
        Map<String, List<Parsed<JsonNode>>> events = events(line.bytes(), shown);
        if (events.isEmpty()) {
          counter.passedOver();
        }
        for (Map.Entry<String, List<Parsed<JsonNode>>> of : events.entrySet()) {
          send(line.bytes(), of.getKey(), of.getValue(), shown, counter, topics);
        }
        run.tick();
      }
    }
    for (ArrivalTimes<Message> times : topics.values()) {
      times.end();
    }
    return counter.counts();
  }

  /** The events of a line by the topics to which it is sent. */
  private Map<String, List<Parsed<JsonNode>>> events(byte[] line, boolean shown) {
    Parsed<JsonNode> message = reader.tree(line);
    if (!shown) {
      // What is refused may still say of what kind it was meant to be.
      boolean says = message.event() == null && pipeline.events().isEmpty();
      return reader.feedbackByTopic(says ? Parsed.of(parse(line)) : message);
    }
    List<Parsed<JsonNode>> events = reader.impressionTrees(message);
    return events.isEmpty() ? Map.of() : Map.of(pipeline.topic(SystemTopic.IMPRESSIONS), events);
  }

  private void send(
      byte[] line,
      String topic,
      List<Parsed<JsonNode>> events,
      boolean shown,
      InputCounts.Counter counter,
      Map<String, ArrivalTimes<Message>> topics)
      throws Exception {
    byte[] written = written(line);
    Fate fate = shown ? before.impression(written) : before.feedback(topic, written);
    String id = "";
    long time = ArrivalTimes.UNKNOWN;
    for (Parsed<JsonNode> event : events) {
      JsonNode json = event.event() == null ? JSON.missingNode() : event.event();
      // As the job tells it: what does not say its kind is of that of its topic, if it has one.
      String kind =
          shown
              ? DeadLetters.IMPRESSION
              : task(json)
                  .map(Task::name)
                  .or(() -> Optional.ofNullable(reader.kind(topic)))
                  .orElse("");
      if (fate == Fate.LEARNT) {
        counter.learnt(kind, line);
      } else if (shown) {
        counter.impression(json, fields);
      } else {
        counter.feedback(kind, fate == Fate.TOO_LATE);
      }
      id = id.isEmpty() ? json.path("impression_id").asText("") : id;
      time = Math.max(time, EventReader.timeOf(json).orElse(ArrivalTimes.UNKNOWN));
    }
    if (fate != Fate.LEARNT) {
      topics
          .computeIfAbsent(
              topic,
              to ->
                  new ArrivalTimes<>(
                      (message, arrived) ->
                          producer.send(to, message.key(), message.value(), arrived)))
          .add(new Message(id, written), time);
    }
  }

  /** The line in the format of the topics; as it is where it is no event, which the job tells. */
  private byte[] written(byte[] line) {
    if (pipeline.kafka().format() == EventFormats.JSON) {
      return line;
    }
    try {
      return LINES.read(line) instanceof ObjectNode event ? format.write(event) : line;
    } catch (UnreadableMessageException e) {
      return line;
    }
  }

  // What is no JSON still goes to a topic: rejecting it, with a reason, is the job's business.
  private static JsonNode parse(byte[] line) {
    try {
      return JSON.readTree(line);
    } catch (IOException e) {
      return JSON.missingNode();
    }
  }

  private Optional<Task> task(JsonNode json) {
    String kind = json.path("kind").asText("");
    return pipeline.tasks().stream().filter(task -> task.name().equals(kind)).findFirst();
  }
}
