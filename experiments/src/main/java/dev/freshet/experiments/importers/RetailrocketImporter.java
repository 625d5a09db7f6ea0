package dev.freshet.experiments.importers;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.freshet.experiments.importers.Rees46Importer.LastViews;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Retailrocket: {@code timestamp,visitorid,event,itemid,transactionid}, in no order, so the whole
 * file is sorted in memory. Each view is an impression; {@code addtocart} and {@code transaction}
 * are feedback on the visitor's newest view of the item.
 */
final class RetailrocketImporter implements Importer {

  private record Row(long time, String visitor, String event, String item) {}

  @Override
  public void run(List<Path> files, EventFiles out, BadRows bad) throws IOException {
    List<Row> rows = new ArrayList<>();
    for (Path file : files) {
      Csv.withHeader(
          file,
          bad,
          row ->
              rows.add(
                  new Row(
                      (long) Csv.number(row, "timestamp"),
                      Csv.id(row, "visitorid"),
                      row.get("event"),
                      Csv.id(row, "itemid"))),
          "timestamp",
          "visitorid",
          "event",
          "itemid",
          "transactionid");
    }
    rows.sort(Comparator.comparingLong(Row::time));
    LastViews views = new LastViews();
    long count = 0;
    for (Row row : rows) {
      out.advance(row.time);
      event(count++, row, views, out);
    }
  }

  private static void event(long number, Row row, LastViews views, EventFiles out)
      throws IOException {
    String key = row.visitor + "/" + row.item;
    if (row.event.equals("view")) {
      views.put(key, "v" + number);
      ObjectNode features = EventFiles.features();
      features.put("visitor_id", row.visitor).put("item_id", row.item);
      features.put("hour", row.time / 3_600_000 % 24).put("weekday", row.time / 86_400_000 % 7);
      out.impression("v" + number, row.time, features);
      return;
    }
    String view = views.get(key);
    if (view != null && row.event.equals("addtocart")) {
      out.feedback("cart", view, "e" + number, row.time);
    } else if (view != null && row.event.equals("transaction")) {
      out.feedback("transaction", view, "e" + number, row.time);
    }
  }
}
