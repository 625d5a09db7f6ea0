package dev.freshet.local.run;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.core.labels.Task;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.core.pipeline.Pipeline;
import dev.freshet.local.sample.Spans;
import dev.freshet.local.screen.Terminal;
import dev.freshet.local.screen.Trend;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How a run is doing as a table for a terminal: a line for each task of each model, with the course
 * of its quality, and where it is known how near that is to the best that there can be.
 */
final class ProgressTable {

  private static final String COLUMNS = "  %-9s %-10s %12s %5s %-10s %6s %6s %10s";
  private static final double SOME = 0.1;
  private static final int MOST_REASONS = 3;

  private final Pipeline pipeline;
  private final Terminal terminal;
  private final Map<String, Trend> trends = new HashMap<>();

  ProgressTable(Pipeline pipeline, Terminal terminal) {
    this.pipeline = pipeline;
    this.terminal = terminal;
  }

  /**
   * Draws it.
   *
   * @param report as of {@link RunReport}
   */
  void draw(JsonNode report, Observer observer, double seconds) {
    List<String> lines = new ArrayList<>();
    StringBuilder events = new StringBuilder(line("%7s", Spans.text(1000 * Math.floor(seconds))));
    report
        .path("events")
        .properties()
        .forEach(e -> events.append(line("  %s %,d", e.getKey(), e.getValue().asLong())));
    lines.add(cut(events.toString()));
    lines.add(cut(leftOut(report)));
    lines.add("");
    lines.add(
        terminal.faint(
            line(COLUMNS, "model", "task", "quality", "best", "trend", "NE", "calib.", "labels")));
    for (ModelDefinition model : pipeline.models()) {
      model(lines, model.name(), report, observer);
    }
    terminal.draw(lines);
  }

  private String leftOut(JsonNode report) {
    StringBuilder text =
        new StringBuilder(line("         learnt %,d", report.path("examples").asLong()));
    Map<String, Long> reasons = new HashMap<>();
    for (String group : List.of("rejected", "dropped", "notLearnt")) {
      report
          .path(group)
          .properties()
          .forEach(reason -> reasons.put(reason.getKey(), reason.getValue().asLong()));
    }
    text.append(line("  left out %,d", reasons.values().stream().mapToLong(Long::longValue).sum()));
    reasons.entrySet().stream()
        .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
        .limit(MOST_REASONS)
        .forEach(reason -> text.append(line("  %s %,d", reason.getKey(), reason.getValue())));
    return text.toString();
  }

  private void model(List<String> lines, String name, JsonNode report, Observer observer) {
    String called = name;
    for (Task task : pipeline.tasks()) {
      JsonNode quality = report.path("quality").path(name).path(task.name());
      boolean known = quality.path("examples").asLong() > 0;
      double figure = quality.path(task.binary() ? "auc" : "nrmse").asDouble(Double.NaN);
      Trend trend = trends.computeIfAbsent(name + '/' + task.name(), key -> new Trend());
      if (known) {
        trend.add(task.binary() ? figure : -figure);
      }
      double calibration = quality.path("calibration").asDouble(Double.NaN);
      String row =
          line(
              COLUMNS,
              fitted(called, 9),
              fitted(task.name(), 10),
              known ? (task.binary() ? "AUC " : "NRMSE ") + number(figure, 4) : "-",
              best(quality),
              trend,
              known ? number(quality.path("normalizedEntropy").asDouble(Double.NaN), 3) : "-",
              known ? number(calibration, 3) : "-",
              known ? line("%,d", quality.path("examples").asLong()) : "waiting");
      lines.add(Math.abs(calibration - 1) > SOME ? terminal.warning(row) : row);
      called = "";
    }
    lines.add(terminal.faint(cut(versions(name, report, observer))));
    incidents(lines, report.path("refused").path(name), "versions held back");
    incidents(lines, report.path("learning").path(name), "not learnt as it came");
  }

  private static String versions(String name, JsonNode report, Observer observer) {
    JsonNode metrics = observer.metrics(name);
    JsonNode replica = report.path("replica").path(name);
    StringBuilder text = new StringBuilder(line("    step %,d", metrics.path("steps").asLong()));
    double rate = metrics.path("examplesPerSecond").asDouble();
    if (rate >= 1) {
      text.append(line("  %,.0f examples/s", rate));
    }
    text.append(
        line("  %d versions", report.path("versions").path(name).path("published").asLong()));
    if (!replica.path("version").asText("").isEmpty()) {
      text.append(
          line(
              "  replica %s (%.0f s)",
              replica.path("version").asText(), replica.path("stalenessSeconds").asDouble()));
    }
    return text.toString();
  }

  private void incidents(List<String> lines, JsonNode counts, String title) {
    StringBuilder found = new StringBuilder();
    for (Map.Entry<String, JsonNode> count : counts.properties()) {
      if (count.getValue().isNumber() && count.getValue().asLong() > 0) {
        found.append(line("  %s %,d", count.getKey(), count.getValue().asLong()));
      }
    }
    if (!found.isEmpty()) {
      lines.add(terminal.warning(cut("    " + title + ":" + found)));
    }
  }

  /** How much of what the best possible is better than chance. */
  private static String best(JsonNode quality) {
    double best = quality.path("bestAuc").asDouble(Double.NaN);
    double share = (quality.path("auc").asDouble(Double.NaN) - 0.5) / (best - 0.5);
    return Double.isFinite(share) ? line("%.0f %%", 100 * share) : "";
  }

  private static String number(double value, int digits) {
    return Double.isFinite(value) ? line("%." + digits + "f", value) : "-";
  }

  private static String fitted(String text, int columns) {
    return text.length() <= columns ? text : text.substring(0, columns - 1) + "…";
  }

  private static String cut(String text) {
    return fitted(text, Terminal.COLUMNS);
  }

  private static String line(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
