package dev.freshet.experiments.importers;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;

/**
 * Criteo sponsored search conversion log: 23 columns separated by tabs, no header, in order of the
 * click; -1 stands for a missing value. A click is an impression, a sale comes {@code
 * time_delay_for_conversion} seconds later, with its amount.
 */
final class CriteoSearchImporter implements Importer {

  private static final String[] CATEGORIES = {
    "product_age_group",
    "device_type",
    "audience_id",
    "product_gender",
    "product_brand",
    "product_category_1",
    "product_category_2",
    "product_category_3",
    "product_category_4",
    "product_category_5",
    "product_category_6",
    "product_category_7",
    "product_country",
    "product_id",
    "product_title",
    "partner_id",
    "user_id"
  };
  private static final int FIRST_CATEGORY = 6;
  private static final String MISSING = "-1";

  @Override
  public void run(List<Path> files, EventFiles out, BadRows bad) throws IOException {
    long[] count = {0};
    for (Path file : files) {
      Csv.withoutHeader(
          file,
          CSVFormat.TDF.builder().setQuote(null).get(),
          FIRST_CATEGORY + CATEGORIES.length,
          bad,
          row -> click("k" + count[0]++, row, out));
    }
  }

  private static void click(String id, CSVRecord row, EventFiles out) throws IOException {
    long time = (long) Csv.number(row.get(3), "click_timestamp") * 1000;
    ObjectNode features = EventFiles.features();
    number(features, "nb_clicks_1week", row.get(4));
    number(features, "product_price", row.get(5));
    for (int i = 0; i < CATEGORIES.length; i++) {
      if (!row.get(FIRST_CATEGORY + i).equals(MISSING)) {
        features.put(CATEGORIES[i], row.get(FIRST_CATEGORY + i));
      }
    }
    boolean sale = row.get(0).equals("1");
    long delay = sale ? (long) Csv.number(row.get(2), "time_delay_for_conversion") * 1000 : 0;
    double amount = sale ? Csv.number(row.get(1), "SalesAmountInEuro") : 0;
    out.advance(time);
    out.impression(id, time, features);
    if (sale) {
      out.feedback("sale", id, id + "-s", time + delay);
      out.feedback("amount", id, id + "-a", time + delay, amount);
    }
  }

  private static void number(ObjectNode features, String name, String text) {
    if (!text.equals(MISSING)) {
      features.put(name, Csv.number(text, name));
    }
  }
}
