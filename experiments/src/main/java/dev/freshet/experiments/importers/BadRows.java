package dev.freshet.experiments.importers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The rows that were skipped: how many for each reason, and where the first of each is. */
public final class BadRows {

  private static final int LONGEST = 200;

  private final boolean strict;
  private final Map<BadRow.Reason, Long> counts = new EnumMap<>(BadRow.Reason.class);
  private final Map<BadRow.Reason, String> first = new EnumMap<>(BadRow.Reason.class);

  /**
   * @param strict true if the first one is the last: {@link #add} throws it
   */
  public BadRows(boolean strict) {
    this.strict = strict;
  }

  void add(Path file, long line, BadRow.Reason reason, String message) throws IOException {
    String shown = message.length() > LONGEST ? message.substring(0, LONGEST) + "..." : message;
    String where = file + ", line " + line + ": " + shown;
    if (strict) {
      throw new IOException(where);
    }
    counts.merge(reason, 1L, Long::sum);
    first.putIfAbsent(reason, where);
  }

  /** How many there were. */
  public long count() {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  /** How many there were for each reason: {@code {number: 3}}. */
  public Map<String, Long> byReason() {
    Map<String, Long> byReason = new LinkedHashMap<>();
    counts.forEach((reason, count) -> byReason.put(reason.label(), count));
    return byReason;
  }

  /** A line for each reason, with its first row. */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    counts.forEach(
        (reason, count) ->
            lines.add(
                String.format(
                    Locale.ROOT,
                    "skipped %,d rows: %s; the first: %s",
                    count,
                    reason.label(),
                    first.get(reason))));
    return lines;
  }
}
