package dev.freshet.experiments.importers;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.csv.CSVRecord;
import org.jspecify.annotations.Nullable;

/**
 * REES46 multi-category store: {@code event_time,event_type,product_id,category_id,category_code,
 * brand,price,user_id,user_session}, in order of time. Each view is an impression; a cart or a
 * purchase is feedback on the newest view of the same product in the same session. A purchase also
 * tells its price.
 */
final class Rees46Importer implements Importer {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'UTC'");

  @Override
  public void run(List<Path> files, EventFiles out, BadRows bad) throws IOException {
    LastViews views = new LastViews();
    Csv.withHeader(
        files,
        bad,
        (number, row) -> event(number, row, views, out),
        "event_time",
        "event_type",
        "product_id",
        "category_id",
        "category_code",
        "brand",
        "price",
        "user_id",
        "user_session");
  }

  private static void event(long number, CSVRecord row, LastViews views, EventFiles out)
      throws IOException {
    long time =
        LocalDateTime.parse(row.get("event_time"), TIME).toInstant(ZoneOffset.UTC).toEpochMilli();
    String key = row.get("user_session") + "/" + Csv.id(row, "product_id");
    double price = Csv.number(row, "price");
    out.advance(time);
    String type = row.get("event_type");
    if (type.equals("view")) {
      String id = "v" + number;
      views.put(key, id);
      ObjectNode features = EventFiles.features();
      for (String column :
          new String[] {"product_id", "category_id", "category_code", "brand", "user_id"}) {
        if (!row.get(column).isEmpty()) {
          features.put(column, row.get(column));
        }
      }
      features.put("price", price);
      features.put("hour", time / 3_600_000 % 24);
      out.impression(id, time, features);
      return;
    }
    String view = views.get(key);
    if (view == null) {
      return; // Nothing was seen before it: there is no impression to learn from.
    }
    if (type.equals("cart") || type.equals("purchase")) {
      out.feedback(type, view, "e" + number, time);
    }
    if (type.equals("purchase")) {
      out.feedback("price", view, "e" + number + "-p", time, price);
    }
  }

  /** The newest view of each session and product; the oldest are forgotten. */
  static final class LastViews {
    private static final int MOST = 2_000_000;

    private final Map<String, String> views = new HashMap<>();
    private Map<String, String> older = Map.of();

    void put(String key, String view) {
      if (views.size() >= MOST) {
        older = new HashMap<>(views);
        views.clear();
      }
      views.put(key, view);
    }

    @Nullable String get(String key) {
      String view = views.get(key);
      return view != null ? view : older.get(key);
    }
  }
}
