package dev.freshet.core.events;

import java.io.Serializable;
import java.util.Objects;

/**
 * Something was shown. The left side of the label join.
 *
 * @param id the key that all feedback on it names
 * @param eventTime epoch milliseconds
 * @param served null where nothing was scored
 */
public record Impression(String id, long eventTime, Features features, Served served)
    implements Serializable {

  public Impression {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(features, "features");
  }
}
