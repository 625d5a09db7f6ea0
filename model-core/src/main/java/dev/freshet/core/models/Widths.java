package dev.freshet.core.models;

import static dev.freshet.core.settings.InvalidValueException.check;

import java.util.List;

/** Checks the widths of a stack of layers, for the models' settings records. */
public final class Widths {

  private Widths() {}

  /** A copy of the widths, of which there may be none. */
  public static List<Integer> any(String key, List<Integer> widths) {
    check(widths.stream().allMatch(w -> w > 0), key, widths, "widths above 0");
    return List.copyOf(widths);
  }

  /** A copy of the widths, of which there must be one. */
  public static List<Integer> some(String key, List<Integer> widths) {
    check(!widths.isEmpty(), key, widths, "at least one width");
    return any(key, widths);
  }
}
