package dev.freshet.experiments.importers;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.Instant;

/** Times for data sets that have none: rows a tenth of a second apart, feedback seconds later. */
final class RowTimes {

  private static final long START = Instant.parse("2020-01-01T00:00:00Z").toEpochMilli();
  private static final long APART = 100;
  private static final long CLICK_AFTER = 1000;
  private static final long PURCHASE_AFTER = 2000;

  private long rows;

  void row(String id, ObjectNode features, boolean click, boolean purchase, EventFiles out)
      throws IOException {
    long time = START + APART * rows++;
    out.advance(time);
    out.impression(id, time, features);
    if (click) {
      out.feedback("click", id, id + "-c", time + CLICK_AFTER);
    }
    if (purchase) {
      out.feedback("purchase", id, id + "-p", time + PURCHASE_AFTER);
    }
  }
}
