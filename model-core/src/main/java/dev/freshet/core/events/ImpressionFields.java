package dev.freshet.core.events;

import java.io.Serializable;
import java.util.List;

/**
 * The feature fields that an event format keeps; everything else in an impression is dropped on
 * arrival, because raw features are the bulk of the job's state.
 *
 * @param scores the tasks whose served scores are kept
 */
public record ImpressionFields(List<String> categorical, List<String> numeric, List<String> scores)
    implements Serializable {

  public ImpressionFields {
    categorical = List.copyOf(categorical);
    numeric = List.copyOf(numeric);
    scores = List.copyOf(scores);
  }
}
