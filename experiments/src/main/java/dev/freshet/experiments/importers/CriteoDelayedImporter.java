package dev.freshet.experiments.importers;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;

/**
 * Criteo conversion logs (Chapelle 2014), the data of the delayed-feedback papers: 19 columns
 * separated by tabs, no header: seconds of the click and, if there was one, of the conversion, both
 * from the log's begin; eight numbers; nine hashed categories. Empty stands for a missing value.
 * Rows must be in order of the click.
 */
final class CriteoDelayedImporter implements Importer {

  /** The log begins at its second 0; the day is of no meaning. */
  private static final long START = Instant.parse("2014-01-01T00:00:00Z").toEpochMilli();

  private static final int NUMBERS = 8;
  private static final int CATEGORIES = 9;
  private static final int FIRST_NUMBER = 2;
  private static final int FIRST_CATEGORY = FIRST_NUMBER + NUMBERS;

  @Override
  public void run(List<Path> files, EventFiles out, BadRows bad) throws IOException {
    long[] count = {0};
    long[] newest = {Long.MIN_VALUE};
    for (Path file : files) {
      Csv.withoutHeader(
          file,
          CSVFormat.TDF.builder().setQuote(null).setIgnoreSurroundingSpaces(false).get(),
          FIRST_CATEGORY + CATEGORIES,
          bad,
          row -> {
            long time = time(row.get(0), "click_timestamp");
            if (time < newest[0]) {
              throw new IOException(
                  "click_timestamp: '"
                      + row.get(0)
                      + "' is earlier than the row before; allowed: rows in order of the click,"
                      + " which `sort -n -k1,1` gives");
            }
            newest[0] = time;
            click("d" + count[0]++, time, row, out);
          });
    }
  }

  private static long time(String text, String column) {
    return START + (long) Csv.number(text, column) * 1000;
  }

  private static void click(String id, long time, CSVRecord row, EventFiles out)
      throws IOException {
    out.advance(time);
    ObjectNode features = EventFiles.features();
    for (int i = 0; i < NUMBERS; i++) {
      String value = row.get(FIRST_NUMBER + i);
      if (!value.isEmpty()) {
        features.put("int_" + (i + 1), Csv.number(value, "int_" + (i + 1)));
      }
    }
    for (int i = 0; i < CATEGORIES; i++) {
      String value = row.get(FIRST_CATEGORY + i);
      if (!value.isEmpty()) {
        features.put("cat_" + (i + 1), value);
      }
    }
    boolean converted = !row.get(1).isEmpty();
    long conversion = converted ? time(row.get(1), "conversion_timestamp") : 0;
    out.impression(id, time, features);
    if (converted) {
      out.feedback("conversion", id, id + "-c", conversion);
    }
  }
}
