package dev.freshet.local.sample;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.core.events.RejectReason;
import dev.freshet.core.events.Rejection;
import dev.freshet.core.settings.Nearest;
import java.util.ArrayList;
import java.util.List;

/** Why a message was refused, in words: with the names that it has where one is missing. */
public final class Refusal {

  private static final int MOST_NAMES = 20;

  /** What to do about messages that are laid out otherwise. */
  public static final String LAYOUTS =
      "Where messages look otherwise, `events` of the pipeline file says how: docs/layouts.md";

  private Refusal() {}

  /**
   * The reason first.
   *
   * @param message that was refused; a missing node if it is none
   */
  public static String told(Rejection why, JsonNode message) {
    List<String> names = new ArrayList<>();
    message.fieldNames().forEachRemaining(names::add);
    return why.reason() == RejectReason.MISSING_FIELD && !names.isEmpty()
        ? why + "; it has " + named(names) + meant(why.field(), names)
        : why.toString();
  }

  /** The first of many names. */
  static String named(List<String> names) {
    return String.join(", ", names.subList(0, Math.min(names.size(), MOST_NAMES)));
  }

  /** That one of the names may have been meant to be another. */
  static String meant(String wanted, List<String> names) {
    return Nearest.of(wanted, names)
        .map(one -> "; is '" + one + "' meant to be '" + wanted + "'?")
        .orElse("");
  }
}
