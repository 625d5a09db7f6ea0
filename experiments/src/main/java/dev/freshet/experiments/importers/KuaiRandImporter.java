package dev.freshet.experiments.importers;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.csv.CSVRecord;

/**
 * KuaiRand's logs, by the names of their columns. Each row is an impression at {@code time_ms},
 * with a click at once, a long view when it has lasted 18 seconds (or the whole video), and the
 * seconds watched at the end. Rows are in order of user, not of time, so the whole is sorted in
 * memory.
 */
final class KuaiRandImporter implements Importer {

  private static final double LONG_VIEW_MILLIS = 18_000;

  @Override
  public void run(List<Path> files, EventFiles out, BadRows bad) throws IOException {
    Csv.withHeader(
        files,
        bad,
        (number, row) -> exposure("k" + number, row, out),
        "user_id",
        "video_id",
        "time_ms",
        "is_click",
        "long_view",
        "play_time_ms",
        "duration_ms",
        "tab");
  }

  private static void exposure(String id, CSVRecord row, EventFiles out) throws IOException {
    long time = (long) Csv.number(row, "time_ms");
    double duration = Csv.number(row, "duration_ms");
    double played = Csv.number(row, "play_time_ms");
    ObjectNode features = EventFiles.features();
    features.put("user_id", Csv.id(row, "user_id")).put("video_id", Csv.id(row, "video_id"));
    features.put("tab", row.get("tab")).put("duration", duration / 1000);
    features.put("hour", time / 3_600_000 % 24).put("weekday", time / 86_400_000 % 7);
    if (row.isMapped("is_rand")) {
      features.put("is_rand", row.get("is_rand"));
    }
    out.impression(id, time, features);
    if (row.get("is_click").equals("1")) {
      out.feedback("click", id, id + "-c", time);
    }
    if (row.get("long_view").equals("1")) {
      out.feedback("long_view", id, id + "-l", time + (long) Math.min(LONG_VIEW_MILLIS, duration));
    }
    if (played > 0) {
      out.feedback("watch_time", id, id + "-w", time + (long) played, played / 1000);
    }
  }
}
