package dev.freshet.experiments;

import static java.util.Objects.requireNonNull;

import dev.freshet.core.events.Rejection;
import dev.freshet.core.labels.DropReason;
import dev.freshet.core.labels.DroppedEvent;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Lines of the files that were not learnt, by reason, each with its first. */
final class LeftOut {

  private long refused;
  private String firstRefused = "";
  private final Map<DropReason, Long> dropped = new EnumMap<>(DropReason.class);
  private final Map<DropReason, String> firstDropped = new EnumMap<>(DropReason.class);

  void refuse(String file, Rejection rejection) {
    if (refused++ == 0) {
      firstRefused = file + ": " + rejection;
    }
  }

  void drop(DroppedEvent event) {
    dropped.merge(event.reason(), 1L, Long::sum);
    firstDropped.putIfAbsent(
        event.reason(), "event " + event.eventId() + " of impression " + event.impressionId());
  }

  /** In words, a sentence for each reason. */
  List<String> told() {
    List<String> told = new ArrayList<>();
    if (refused > 0) {
      told.add(sentence(refused, "no event", "no events", firstRefused));
    }
    dropped.forEach(
        (reason, count) ->
            told.add(
                sentence(
                    count,
                    reason.label(),
                    reason.label(),
                    requireNonNull(firstDropped.get(reason)))));
    return told;
  }

  private static String sentence(long count, String one, String several, String first) {
    return count == 1
        ? "1 line is left out, %s: %s".formatted(one, first)
        : String.format(Locale.ROOT, "%,d lines are left out, %s; first %s", count, several, first);
  }
}
