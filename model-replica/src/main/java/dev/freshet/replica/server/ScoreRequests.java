package dev.freshet.replica.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.EventJson;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.JsonEventFormat;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.Rejection;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.replica.Prediction;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/** The JSON of scoring: a batch of impressions in, scores out. */
final class ScoreRequests {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int BAD = 400;

  private final JsonEventFormat format;
  private final int largestBatch;

  ScoreRequests(Pipeline pipeline, int largestBatch) {
    format = new JsonEventFormat(pipeline.impressionFields(), pipeline.feedbackKinds());
    this.largestBatch = largestBatch;
  }

  /** Reads one JSON object. */
  static JsonNode object(InputStream body) throws IOException, BadRequest {
    try {
      JsonNode root = EventJson.read(body.readAllBytes());
      if (!root.isObject()) {
        throw new BadRequest(BAD, "body: allowed: one JSON object");
      }
      return root;
    } catch (JsonProcessingException e) {
      throw new BadRequest(BAD, "body: not JSON: " + e.getOriginalMessage());
    }
  }

  /**
   * Impressions as on the impressions topic. {@code impression_id} and {@code event_time} may be
   * absent.
   */
  List<Impression> impressions(JsonNode root) throws BadRequest {
    JsonNode list = root.path("impressions");
    if (!list.isArray() || list.isEmpty()) {
      throw new BadRequest(BAD, "impressions: allowed: a list of at least one impression");
    }
    if (list.size() > largestBatch) {
      throw new BadRequest(
          BAD, "impressions: " + list.size() + " of them; allowed: up to " + largestBatch);
    }
    long now = System.currentTimeMillis();
    List<Impression> impressions = new ArrayList<>(list.size());
    for (int i = 0; i < list.size(); i++) {
      JsonNode node = list.get(i);
      if (node instanceof ObjectNode one) {
        putIfAbsent(one, "impression_id", JSON.getNodeFactory().textNode(Integer.toString(i)));
        putIfAbsent(one, "event_time", JSON.getNodeFactory().numberNode(now));
      }
      Parsed<Impression> parsed = format.impression(node);
      if (parsed.event() == null) {
        throw new BadRequest(BAD, "impressions[" + i + "]." + message(parsed.rejection()));
      }
      impressions.add(parsed.event());
    }
    return impressions;
  }

  private static void putIfAbsent(ObjectNode node, String field, JsonNode value) {
    if (node.path(field).isMissingNode() || node.path(field).isNull()) {
      node.set(field, value);
    }
  }

  private static String message(Rejection rejection) {
    String value = rejection.value() == null ? "" : " '" + rejection.value() + "'";
    return rejection.field() + ":" + value + "; allowed: " + rejection.allowed();
  }

  /** The answer: the version, and for each impression its scores by task. */
  static byte[] answer(String model, List<Impression> impressions, List<Prediction> predictions)
      throws IOException {
    ObjectNode root = JSON.createObjectNode().put("model", model);
    root.put("version", predictions.get(0).version());
    ArrayNode scores = root.putArray("scores");
    for (int i = 0; i < predictions.size(); i++) {
      ObjectNode one = scores.addObject().put("impression_id", impressions.get(i).id());
      ObjectNode byTask = one.putObject("scores");
      predictions.get(i).scores().forEach(byTask::put);
    }
    return JSON.writeValueAsBytes(root);
  }

  static byte[] write(Object value) throws IOException {
    return JSON.writeValueAsBytes(value);
  }

  static JsonNode tree(byte[] json) throws IOException {
    return JSON.readTree(json);
  }
}
