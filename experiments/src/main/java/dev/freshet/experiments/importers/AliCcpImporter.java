package dev.freshet.experiments.importers;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;

/**
 * Ali-CCP. {@code common_features_*.csv}: common feature index, number, features. {@code
 * sample_skeleton_*.csv}: sample id, click, purchase, common feature index, number, features.
 * Features are separated by \u0001, each being field \u0002 value \u0003 weight; weights are left
 * out. Rows with a purchase but no click are dropped, as is customary.
 */
final class AliCcpImporter implements Importer {

  private static final int COMMON_COLUMNS = 3;
  private static final int SKELETON_COLUMNS = 6;

  @Override
  public void run(List<Path> files, EventFiles out, BadRows bad) throws IOException {
    Map<String, String> common = new HashMap<>();
    RowTimes times = new RowTimes();
    for (Path file : files) {
      if (file.getFileName().toString().startsWith("common_features")) {
        Csv.withoutHeader(
            file,
            CSVFormat.DEFAULT,
            COMMON_COLUMNS,
            bad,
            row -> common.put(row.get(0), row.get(2)));
      } else {
        Csv.withoutHeader(
            file, CSVFormat.DEFAULT, SKELETON_COLUMNS, bad, row -> sample(row, common, times, out));
      }
    }
  }

  private static void sample(
      CSVRecord row, Map<String, String> common, RowTimes times, EventFiles out)
      throws IOException {
    boolean click = row.get(1).equals("1");
    boolean purchase = row.get(2).equals("1");
    if (purchase && !click) {
      return;
    }
    String shared = common.get(row.get(3));
    if (shared == null) {
      throw new BadRow(
          BadRow.Reason.INVALID,
          "common feature index '" + row.get(3) + "' is in no common_features file given before");
    }
    ObjectNode features = EventFiles.features();
    add(features, shared);
    add(features, row.get(5));
    times.row("a" + Csv.id(row.get(0), "sample id"), features, click, purchase, out);
  }

  private static void add(ObjectNode features, String list) {
    for (String feature : list.split("\u0001")) {
      int value = feature.indexOf('\u0002');
      int weight = feature.indexOf('\u0003');
      if (value < 0 || weight < value) {
        throw new BadRow(
            BadRow.Reason.INVALID,
            "feature '" + feature + "'; allowed: field \\u0002 value \\u0003 weight");
      }
      String field = "f" + feature.substring(0, value);
      ArrayNode values = features.withArray(field);
      values.add(feature.substring(value + 1, weight));
    }
  }
}
