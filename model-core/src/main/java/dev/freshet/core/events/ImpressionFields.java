package dev.freshet.core.events;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The feature fields that an event format keeps; everything else in an impression is dropped on
 * arrival, because raw features are the bulk of the job's state.
 *
 * @param many the categorical fields that may hold a list
 * @param weighted those of these whose values have weights
 * @param counts the numeric fields that are counts or rates of these, and so not below 0
 * @param vectors fields that are lists of numbers
 * @param scores the tasks whose served scores are kept
 * @param deadlines of each task where its deadline stands; empty if no task has one
 */
public record ImpressionFields(
    List<String> categorical,
    Set<String> many,
    Set<String> weighted,
    List<String> numeric,
    Set<String> counts,
    List<VectorField> vectors,
    List<String> scores,
    List<DeadlineField> deadlines)
    implements Serializable {

  public ImpressionFields {
    categorical = List.copyOf(categorical);
    many = Set.copyOf(many);
    weighted = Set.copyOf(weighted);
    numeric = List.copyOf(numeric);
    counts = Set.copyOf(counts);
    vectors = List.copyOf(vectors);
    scores = List.copyOf(scores);
    deadlines = List.copyOf(deadlines);
  }

  /** Without fields of weights, counts and vectors. */
  public ImpressionFields(
      List<String> categorical,
      Set<String> many,
      List<String> numeric,
      List<String> scores,
      List<DeadlineField> deadlines) {
    this(categorical, many, Set.of(), numeric, Set.of(), List.of(), scores, deadlines);
  }

  /** True if features have weights or vectors. */
  boolean withFloats() {
    return !weighted.isEmpty() || !vectors.isEmpty();
  }

  /** All names: the categorical, then the numeric ones, then vectors. */
  public List<String> names() {
    List<String> names = new ArrayList<>(categorical);
    names.addAll(numeric);
    vectors.forEach(vector -> names.add(vector.name()));
    return List.copyOf(names);
  }

  /** Names of the fields that an impression does not have. */
  public List<String> absentIn(RawFeatures features) {
    List<String> absent = new ArrayList<>();
    for (int i = 0; i < categorical.size(); i++) {
      if (features.categories()[i].length == 0) {
        absent.add(categorical.get(i));
      }
    }
    for (int i = 0; i < numeric.size(); i++) {
      if (Double.isNaN(features.numbers()[i])) {
        absent.add(numeric.get(i));
      }
    }
    for (int i = 0; i < vectors.size(); i++) {
      if (features.weights().length == 0
          || features.weights()[categorical.size() + i].length == 0) {
        absent.add(vectors.get(i).name());
      }
    }
    return absent;
  }
}
