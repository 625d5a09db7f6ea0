package dev.freshet.core.labels;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.Deadline;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.ImpressionFields;
import dev.freshet.core.events.RawFeatures;
import java.io.Serializable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Labelled examples as JSON, one object each, for the examples topic and for files.
 *
 * <pre>
 * {"impression_id": "i1", "tag": "final.none.none", "event_time": 1767225600000, "emitted_at": 1767226200000,
 *  "features": {"user_id": "u7", "price": 9.5},
 *  "labels": {"click": {"kind": "final", "value": 1.0, "final": true, "weight": 1.0, "elapsed": 600000, "reached": true, "delay": 4000}}}
 * </pre>
 *
 * {@code deadlines} is there where the impression has deadlines of its own: by task the time, epoch
 * milliseconds, or the window's length in milliseconds, as it says and whatever was made of it.
 */
public final class ExampleJson implements Serializable {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final ImpressionFields fields;
  private final List<String> tasks;

  public ExampleJson(ImpressionFields fields, List<Task> tasks) {
    this.fields = fields;
    this.tasks = tasks.stream().map(Task::name).toList();
  }

  /** One line, without its end. */
  public byte[] write(LabeledExample example) {
    return write(example, example.impression().features() instanceof RawFeatures raw ? raw : null);
  }

  /** The same with null for its features, where these are too large. */
  public byte[] writeWithoutFeatures(LabeledExample example) {
    return write(example, null);
  }

  private byte[] write(LabeledExample example, @Nullable RawFeatures raw) {
    ObjectNode json = JSON.createObjectNode();
    json.put("impression_id", example.impression().id());
    json.put("tag", example.tag());
    json.put("event_time", example.impression().eventTime());
    json.put("emitted_at", example.emittedAt());
    if (raw != null) {
      features(raw, json.putObject("features"));
    } else {
      json.putNull("features"); // too large, or waiting since before there was an examples topic
    }
    json.set("labels", labels(example.labels()));
    deadlines(example.impression(), json);
    return bytes(json);
  }

  /** Times and lengths that the impression itself says its tasks' windows have, if it does. */
  private void deadlines(Impression impression, ObjectNode json) {
    for (int i = 0; i < tasks.size(); i++) {
      Deadline said = impression.deadline(i);
      if (said.kind() == Deadline.Kind.AT || said.kind() == Deadline.Kind.AFTER) {
        json.withObjectProperty("deadlines").put(tasks.get(i), said.millis());
      }
    }
  }

  /**
   * An example that a model did not learn, for the dead letters: the impression and the labels.
   *
   * @param eventTime of the impression
   */
  public byte[] write(String impression, long eventTime, TaskLabel[] labels) {
    ObjectNode json = JSON.createObjectNode();
    json.put("impression_id", impression).put("event_time", eventTime);
    json.set("labels", labels(labels));
    return bytes(json);
  }

  private ObjectNode labels(TaskLabel[] all) {
    ObjectNode labels = JSON.createObjectNode();
    for (int i = 0; i < tasks.size(); i++) {
      TaskLabel label = all[i];
      if (label.present()) {
        ObjectNode node = labels.putObject(tasks.get(i));
        node.put("kind", label.kind().label()).put("value", label.value());
        node.put("final", label.isFinal()).put("weight", label.weight());
        node.put("elapsed", label.elapsed()).put("reached", label.reached());
        if (label.delay() >= 0) {
          node.put("delay", label.delay());
        }
      }
    }
    return labels;
  }

  private static byte[] bytes(ObjectNode json) {
    try {
      return JSON.writeValueAsBytes(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("an example is plain data", e);
    }
  }

  private void features(RawFeatures features, ObjectNode json) {
    for (int i = 0; i < features.categories().length; i++) {
      String[] values = features.categories()[i];
      String name = fields.categorical().get(i);
      if (fields.weighted().contains(name) && values.length > 0) {
        ArrayNode pairs = json.putArray(name);
        for (int j = 0; j < values.length; j++) {
          pairs.addArray().add(values[j]).add(features.weight(i, j));
        }
      } else if (values.length == 1) {
        json.put(name, values[0]);
      } else if (values.length > 1) {
        ArrayNode list = json.putArray(name);
        for (String value : values) {
          list.add(value);
        }
      }
    }
    for (int i = 0; i < features.numbers().length; i++) {
      if (!Double.isNaN(features.numbers()[i])) {
        json.put(fields.numeric().get(i), features.numbers()[i]);
      }
    }
    for (int i = 0; i < fields.vectors().size() && features.weights().length > 0; i++) {
      float[] numbers = features.weights()[features.categories().length + i];
      if (numbers.length > 0) {
        ArrayNode list = json.putArray(fields.vectors().get(i).name());
        for (float number : numbers) {
          list.add(number);
        }
      }
    }
  }
}
