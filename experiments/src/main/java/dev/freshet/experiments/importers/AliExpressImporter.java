package dev.freshet.experiments.importers;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;

/**
 * AliExpress search logs as prepared for the multi-task benchmarks: a header, then an id, 16
 * categorical and 63 numeric features, click, conversion, by position.
 */
final class AliExpressImporter implements Importer {

  private static final int CATEGORICAL = 16;
  private static final int NUMERIC = 63;
  private static final int COLUMNS = 1 + CATEGORICAL + NUMERIC + 2;

  @Override
  public void run(List<Path> files, EventFiles out, BadRows bad) throws IOException {
    RowTimes times = new RowTimes();
    long[] count = {0};
    CSVFormat format = CSVFormat.DEFAULT.builder().setHeader().setSkipHeaderRecord(true).get();
    for (Path file : files) {
      Csv.withoutHeader(
          file, format, COLUMNS, bad, row -> search("s" + count[0]++, row, times, out));
    }
  }

  private static void search(String id, CSVRecord row, RowTimes times, EventFiles out)
      throws IOException {
    ObjectNode features = EventFiles.features();
    for (int i = 1; i <= CATEGORICAL; i++) {
      features.put("categorical_" + i, row.get(i));
    }
    for (int i = 1; i <= NUMERIC; i++) {
      features.put("numerical_" + i, Csv.number(row.get(CATEGORICAL + i), "numerical_" + i));
    }
    boolean click = Csv.number(row.get(COLUMNS - 2), "click") > 0;
    boolean conversion = Csv.number(row.get(COLUMNS - 1), "conversion") > 0;
    times.row(id, features, click, conversion, out);
  }
}
