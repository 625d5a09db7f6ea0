package dev.freshet.experiments.importers;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.util.List;
import org.apache.commons.csv.CSVRecord;

/**
 * Open Bandit's logs, by the names of their columns: each row is an item that was shown at one of
 * three positions, and whether it was clicked. Users are known by four hashed features alone. There
 * is no time of the click, so it is that of the impression; the logging policy's propensity is kept
 * as a field, which the ready pipeline leaves out.
 */
final class OpenBanditImporter implements Importer {

  private static final int USER_FEATURES = 4;

  @Override
  public void run(List<Path> files, EventFiles out, BadRows bad) throws IOException {
    Csv.withHeader(
        files,
        bad,
        (number, row) -> shown("o" + number, row, out),
        "timestamp",
        "item_id",
        "position",
        "click",
        "propensity_score",
        "user_feature_0",
        "user_feature_1",
        "user_feature_2",
        "user_feature_3");
  }

  private static void shown(String id, CSVRecord row, EventFiles out) throws IOException {
    // 2019-11-24 00:01:03.979311+00:00
    long time =
        OffsetDateTime.parse(row.get("timestamp").replace(' ', 'T')).toInstant().toEpochMilli();
    boolean clicked = Csv.number(row, "click") > 0;
    ObjectNode features = EventFiles.features();
    features.put("item_id", Csv.id(row, "item_id")).put("position", Csv.id(row, "position"));
    for (int i = 0; i < USER_FEATURES; i++) {
      features.put("user_feature_" + i, row.get("user_feature_" + i));
    }
    features.put("propensity", Csv.number(row, "propensity_score"));
    out.impression(id, time, features);
    if (clicked) {
      out.feedback("click", id, id + "-c", time);
    }
  }
}
