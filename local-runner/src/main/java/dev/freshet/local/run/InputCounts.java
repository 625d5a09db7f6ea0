package dev.freshet.local.run;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What was in a file of events, as far as its lines can be told apart without judging them.
 *
 * @param lines that are not blank
 * @param tooLong lines that no message may be as long as; they were not sent
 * @param kinds lines of each task that say it; of impressions, none
 * @param absent for each field of the pipeline: impressions that do not have it
 * @param fields that the first impression has
 */
record InputCounts(
    long lines,
    long tooLong,
    Map<String, Long> kinds,
    Map<String, Long> absent,
    List<String> fields) {

  private static final int MOST_FIELDS = 20;

  InputCounts {
    kinds = new TreeMap<>(kinds);
    absent = new TreeMap<>(absent);
    fields = List.copyOf(fields);
  }

  /** Counts while a file is read. */
  static final class Counter {
    private long lines;
    private long tooLong;
    private final Map<String, Long> kinds = new TreeMap<>();
    private final Map<String, Long> absent = new TreeMap<>();
    private final List<String> has = new ArrayList<>();

    void tooLong() {
      lines++;
      tooLong++;
    }

    void impression(JsonNode event, Iterable<String> fields) {
      lines++;
      if (lines == 1) {
        event.path("features").fieldNames().forEachRemaining(has::add);
      }
      for (String field : fields) {
        JsonNode value = event.path("features").path(field);
        boolean empty =
            value.isMissingNode()
                || value.isNull()
                || value.isTextual() && value.asText().isEmpty()
                || value.isArray() && value.isEmpty();
        absent.merge(field, empty ? 1L : 0L, Long::sum);
      }
    }

    void feedback(String kind) {
      lines++;
      kinds.merge(kind, 1L, Long::sum);
    }

    InputCounts counts() {
      return new InputCounts(
          lines, tooLong, kinds, absent, has.subList(0, Math.min(has.size(), MOST_FIELDS)));
    }
  }
}
