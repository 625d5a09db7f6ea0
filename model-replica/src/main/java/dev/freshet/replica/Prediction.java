package dev.freshet.replica;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Scores of one impression.
 *
 * @param version of the weights that made them
 * @param scores per task: a probability, or the continuous task's value in its own unit
 * @param missing fields that the impression does not have
 * @param unknown fields with a value that this version has no row for: never seen in training, or
 *     not often enough
 */
public record Prediction(
    String version, Map<String, Double> scores, List<String> missing, List<String> unknown) {

  /**
   * Fields of the impression that the model does not know, by kind, as answers have it; may be
   * empty.
   */
  public Map<String, List<String>> warnings() {
    Map<String, List<String>> warnings = new LinkedHashMap<>();
    if (!missing.isEmpty()) {
      warnings.put("missing", missing);
    }
    if (!unknown.isEmpty()) {
      warnings.put("unknown", unknown);
    }
    return warnings;
  }
}
