package dev.freshet.core.settings;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Collects everything that is wrong with a file, so that nobody fixes errors one start at a time.
 */
public final class Problems {

  /**
   * One fault: where it is, what stands there, and what could stand there. What may be a secret is
   * not kept.
   *
   * @param value null if nothing is written there
   */
  public record Problem(String path, @Nullable String value, String allowed) {

    public Problem {
      value = Sensitive.shown(path, value);
      path = Sensitive.shown(path);
    }

    @Override
    public String toString() {
      return path
          + ": "
          + (value == null ? "not given" : "'" + value + "'")
          + "; allowed: "
          + allowed;
    }
  }

  private final List<Problem> found = new ArrayList<>();

  /** Notes a fault; {@code value} is null where nothing is written. */
  public void add(String path, @Nullable String value, String allowed) {
    found.add(new Problem(path, value, allowed));
  }

  public List<Problem> found() {
    return List.copyOf(found);
  }

  /**
   * @throws InvalidSettingsException with all faults, if there is one
   */
  public void throwIfAny(String source) {
    if (!found.isEmpty()) {
      throw new InvalidSettingsException(source, found());
    }
  }
}
