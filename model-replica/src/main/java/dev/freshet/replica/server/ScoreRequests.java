package dev.freshet.replica.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.core.events.EventJson;
import dev.freshet.core.events.EventReader;
import dev.freshet.core.events.FieldCounts;
import dev.freshet.core.events.Impression;
import dev.freshet.core.events.Parsed;
import dev.freshet.core.events.Rejection;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.core.settings.Nearest;
import dev.freshet.replica.Prediction;
import java.io.IOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The JSON of scoring: a batch of impressions in, scores out. */
final class ScoreRequests {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** More of a request are not told. */
  private static final int MOST_FAULTS = 20;

  /** Names in a request that are held against those of fields, and the longest that is. */
  private static final int MOST_NAMES = 100;

  private static final int LONGEST_NAME = 64;

  private final EventReader reader;

  /** For a second look, which is not counted. */
  private final EventReader uncounted;

  private final Set<String> fields;
  private final int largestBatch;
  private final Clock clock;

  /**
   * @param clock when an impression without {@code event_time} is taken to have been
   */
  ScoreRequests(Pipeline pipeline, int largestBatch, Clock clock) {
    reader = pipeline.eventReader();
    uncounted = pipeline.eventReader();
    fields = Set.copyOf(pipeline.impressionFields().names());
    this.largestBatch = largestBatch;
    this.clock = clock;
  }

  /** Reads one JSON object. */
  static JsonNode object(byte[] body) throws Refused {
    try {
      JsonNode root = EventJson.read(body);
      if (!root.isObject()) {
        throw new Refused(Refused.BAD_REQUEST, "body: allowed: one JSON object");
      }
      return root;
    } catch (JsonProcessingException e) {
      throw new Refused(Refused.BAD_REQUEST, "body: not JSON: " + e.getOriginalMessage());
    }
  }

  /**
   * Impressions as on the impressions topic. {@code impression_id} and {@code event_time} may be
   * absent.
   *
   * @throws Refused with everything that is wrong, a line each
   */
  List<Impression> impressions(JsonNode root) throws Refused {
    JsonNode list = root.path("impressions");
    if (!list.isArray() || list.isEmpty()) {
      throw new Refused(
          Refused.BAD_REQUEST, "impressions: allowed: a list of at least one impression");
    }
    if (list.size() > largestBatch) {
      throw new Refused(
          Refused.BAD_REQUEST,
          "impressions: " + list.size() + " of them; allowed: up to " + largestBatch);
    }
    long now = clock.millis();
    List<Impression> impressions = new ArrayList<>(list.size());
    List<String> faults = new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      JsonNode node = list.get(i);
      if (node instanceof ObjectNode one) {
        putIfAbsent(one, "impression_id", JSON.getNodeFactory().textNode(Integer.toString(i)));
        putIfAbsent(one, "event_time", JSON.getNodeFactory().numberNode(now));
      }
      Parsed<Impression> parsed = reader.impression(node);
      if (parsed.event() != null) {
        impressions.add(parsed.event());
      } else if (faults.size() < MOST_FAULTS) {
        faults(node, parsed.rejection(), "impressions[" + i + "].", faults);
      }
    }
    if (!faults.isEmpty()) {
      throw new Refused(Refused.BAD_REQUEST, String.join("\n", faults));
    }
    return impressions;
  }

  /** Takes away what is wrong until nothing else is. */
  private void faults(JsonNode node, @Nullable Rejection first, String at, List<String> faults) {
    Rejection next = first;
    while (next != null && faults.size() < MOST_FAULTS) {
      faults.add(at + message(next));
      next = removed(node, next.field()) ? uncounted.impression(node).rejection() : null;
    }
  }

  private boolean removed(JsonNode node, String path) {
    if (!(node instanceof ObjectNode root)) {
      return false;
    }
    if (path.equals("impression_id")) {
      return root.put(path, "x") != null;
    }
    if (path.equals("event_time")) {
      return root.put(path, clock.millis()) != null;
    }
    for (String of : List.of("features", "served/scores", "served")) {
      String prefix = of.replace('/', '.') + ".";
      if (path.startsWith(prefix) && root.at("/" + of) instanceof ObjectNode object) {
        return object.remove(path.substring(prefix.length())) != null;
      }
    }
    return root.remove(path) != null;
  }

  /**
   * Names in each impression's features that are nearly those of fields that it does not have.
   *
   * @return by impression, what was written and what may have been meant
   */
  private List<Map<String, String>> misspelt(JsonNode root, List<Prediction> predictions) {
    List<Map<String, String>> all = new ArrayList<>(predictions.size());
    int left = MOST_NAMES;
    for (int i = 0; i < predictions.size(); i++) {
      Map<String, String> found = new LinkedHashMap<>();
      List<String> missing = predictions.get(i).missing();
      Iterator<String> names = root.path("impressions").path(i).path("features").fieldNames();
      while (!missing.isEmpty() && names.hasNext() && left > 0) {
        String name = names.next();
        if (!fields.contains(name) && name.length() <= LONGEST_NAME) {
          left--;
          Nearest.of(name, missing).ifPresent(field -> found.put(name, field));
        }
      }
      all.add(found);
    }
    return all;
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

  /**
   * The answer: the version, and for each impression its scores by task.
   *
   * @param request as it came
   */
  byte[] answer(
      String model, JsonNode request, List<Impression> impressions, List<Prediction> predictions)
      throws IOException {
    List<Map<String, String>> misspelt = misspelt(request, predictions);
    ObjectNode root = JSON.createObjectNode().put("model", model);
    root.put("version", predictions.get(0).version());
    ArrayNode scores = root.putArray("scores");
    for (int i = 0; i < predictions.size(); i++) {
      ObjectNode one = scores.addObject().put("impression_id", impressions.get(i).id());
      ObjectNode byTask = one.putObject("scores");
      predictions.get(i).scores().forEach((task, score) -> byTask.put(task, finite(score)));
      warn(one, predictions.get(i), misspelt.get(i));
    }
    return JSON.writeValueAsBytes(root);
  }

  private static void warn(ObjectNode one, Prediction prediction, Map<String, String> misspelt) {
    if (prediction.warnings().isEmpty()) {
      return;
    }
    ObjectNode warnings = one.putObject("warnings");
    prediction.warnings().forEach((kind, names) -> names.forEach(warnings.withArray(kind)::add));
    if (!misspelt.isEmpty()) {
      misspelt.forEach(warnings.putObject("misspelt")::put);
    }
  }

  /** Counts of what was wrong with fields as they came. */
  FieldCounts fieldCounts() {
    return reader.fieldCounts();
  }

  /** JSON has no other numbers. */
  static @Nullable Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }

  static byte[] write(Object value) throws IOException {
    return JSON.writeValueAsBytes(value);
  }

  /** A manifest as it is told: without its chunks, and what is no number is null. */
  static JsonNode manifest(byte[] json) throws IOException {
    JsonNode root = JSON.readTree(json);
    ((ObjectNode) root).remove("chunks");
    clean(root.path("quality"));
    clean(root.path("targetScale"));
    return root;
  }

  private static void clean(JsonNode node) {
    if (node instanceof ObjectNode object) {
      object.fieldNames().forEachRemaining(name -> replaceUnlessNumber(object, name));
      object.forEach(ScoreRequests::clean);
    } else if (node instanceof ArrayNode array) {
      for (int i = 0; i < array.size(); i++) {
        if (!array.get(i).isContainerNode() && !array.get(i).isNumber()) {
          array.setNull(i);
        }
      }
    }
  }

  private static void replaceUnlessNumber(ObjectNode object, String name) {
    JsonNode value = object.get(name);
    if (!value.isContainerNode() && !value.isNumber()) {
      object.putNull(name); // Jackson writes NaN as text
    }
  }
}
