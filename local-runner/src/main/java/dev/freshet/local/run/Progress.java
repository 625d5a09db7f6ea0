package dev.freshet.local.run;

import com.fasterxml.jackson.databind.JsonNode;
import dev.freshet.core.codec.Texts;
import dev.freshet.core.labels.DeadlineUse;
import dev.freshet.core.labels.DropReason;
import dev.freshet.core.labels.Task;
import dev.freshet.core.models.ModelDefinition;
import dev.freshet.local.screen.Paragraph;
import dev.freshet.local.screen.Terminal;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Prints how a run is doing: on a terminal a table that is redrawn, elsewhere a block every few
 * seconds, as plain lines that also read well in a log.
 */
final class Progress {

  private static final int SHOWN = 60;

  private static final String INDENT = " ".repeat(6);

  private final Observer observer;
  private final PrintStream out;
  private final boolean truthKnown;

  /** Null where there is no terminal. */
  private final @Nullable ProgressTable table;

  Progress(Observer observer, PrintStream out, boolean truthKnown) {
    this.observer = observer;
    this.out = out;
    this.truthKnown = truthKnown;
    table =
        out instanceof Terminal terminal ? new ProgressTable(observer.pipeline(), terminal) : null;
  }

  /** True if it is redrawn in place, which may be often. */
  boolean redrawn() {
    return table != null;
  }

  /** The last time: it stays. */
  void printLast(double seconds) throws Exception {
    print(seconds);
    if (out instanceof Terminal terminal) {
      terminal.keep();
    }
  }

  void print(double seconds) throws Exception {
    JsonNode report = RunReport.of(observer, seconds, truthKnown);
    if (table != null) {
      table.draw(report, observer, seconds);
      return;
    }
    StringBuilder text = new StringBuilder();
    text.append(line("%5.0fs events", seconds));
    report
        .path("events")
        .properties()
        .forEach(e -> text.append(line("  %s %,d", e.getKey(), e.getValue().asLong())));
    long rejected = 0;
    for (JsonNode count : report.path("rejected")) {
      rejected += count.asLong();
    }
    text.append(
        line(
            "%n       examples %,d  rejected %,d  late %,d  orphaned %,d  duplicates %,d  skewed %,d%n",
            report.path("examples").asLong(),
            rejected,
            report.path("late").asLong(),
            report.path("orphaned").asLong(),
            report.path("duplicates").asLong(),
            report.path("skewed").asLong()));
    JsonNode cut = report.path("cutCrosses");
    if (!cut.isMissingNode()) {
      text.append(
          line(
              "       %,d crosses by the first of their many values only, the first of %s%n",
              cut.path("count").asLong(), cut.path("sample").asText()));
    }
    for (Map.Entry<String, JsonNode> late : report.path("lateForCounts").properties()) {
      text.append(
          line(
              "       %,d impressions too late to be told counts by %s, the first %s%n",
              late.getValue().path("count").asLong(),
              late.getKey(),
              late.getValue().path("sample").asText()));
    }
    for (ModelDefinition model : observer.pipeline().models()) {
      model(text, model.name(), report);
    }
    out.print(text);
    out.flush();
  }

  /** Every reason for which something was left out, with the first message of it. */
  void printDeadLetters() {
    Map<String, Long> counts = observer.deadLetters().byReason();
    if (counts.isEmpty()) {
      return;
    }
    StringBuilder text = new StringBuilder(line("Left out, with the first of each reason:%n"));
    counts.forEach(
        (reason, count) -> {
          text.append(line("  %,10d %s%s%n", count, reason, causes(reason)));
          boolean orphaned = reason.equals(DropReason.ORPHANED.label());
          for (DeadLetters.Sample first :
              orphaned
                  ? observer.deadLetters().orphanSamples().values()
                  : List.of(observer.deadLetters().samples().get(reason))) {
            text.append(sample(reason, first));
          }
        });
    out.print(text);
    out.flush();
  }

  /** Events that count although their clocks are wrong, with the first of them. */
  void printSkewed() {
    if (observer.skewed() > 0) {
      out.print(
          line(
              "Clocks differ: %,d events count although they are before what they follow%n"
                  + "  from, by up to labels.clock-skew%n"
                  + "             the first: %s%n",
              observer.skewed(), observer.skewedSample()));
      out.flush();
    }
  }

  /** Prints the use of the impressions' own deadlines, with the first of those of no use. */
  void printDeadlines() {
    StringBuilder text = new StringBuilder();
    observer
        .deadlines()
        .forEach(
            (task, uses) -> {
              text.append(line("Deadlines of %s:", task));
              uses.forEach((use, told) -> text.append(line("  %s %,d", use.label(), told.count())));
              text.append(line("%n"));
              uses.forEach(
                  (use, told) -> {
                    if (use != DeadlineUse.USED) {
                      text.append(
                          line("             the first %s: %s%n", use.label(), told.first()));
                    }
                  });
            });
    out.print(text);
    out.flush();
  }

  private static String sample(String reason, DeadLetters.Sample first) {
    String where =
        first.topic().isEmpty()
            ? first.kind()
            : line("%s/%d@%d", first.topic(), first.partition(), first.offset());
    String why =
        first.error().startsWith(reason + ": ")
            ? first.error().substring(reason.length() + 2)
            : first.error();
    List<String> lines =
        new ArrayList<>(Paragraph.lines(Texts.line(why, why.length()), INDENT, INDENT));
    lines.addAll(Paragraph.lines(where + ": " + Texts.line(first.value(), SHOWN), INDENT, INDENT));
    return String.join(System.lineSeparator(), lines) + System.lineSeparator();
  }

  private String causes(String reason) {
    Map<String, Long> causes = observer.deadLetters().orphans();
    if (!reason.equals(DropReason.ORPHANED.label()) || causes.size() < 2) {
      return "";
    }
    StringBuilder text = new StringBuilder(":");
    causes.forEach((cause, count) -> text.append(line("  %s %,d", cause, count)));
    return text.toString();
  }

  private void model(StringBuilder text, String name, JsonNode report) {
    JsonNode metrics = observer.metrics(name);
    JsonNode replica = report.path("replica").path(name);
    if (observer.isEarlier(name)) {
      text.append(
          line(
              "  %-10s had come to step %,d in the run before%n",
              name, metrics.path("steps").asLong()));
      return;
    }
    text.append(
        line(
            "  %-10s step %,d  %,.0f examples/s  versions %d",
            name,
            metrics.path("steps").asLong(),
            metrics.path("examplesPerSecond").asDouble(),
            report.path("versions").path(name).path("published").asLong()));
    if (!replica.path("version").asText("").isEmpty()) {
      text.append(
          line(
              "%n             replica at %s, %.1f s old",
              replica.path("version").asText(), replica.path("stalenessSeconds").asDouble()));
    }
    text.append(line("%n"));
    incidents(text, report.path("refused").path(name), "versions held back");
    incidents(text, report.path("learning").path(name), "not learnt as it came");
    for (Task task : observer.pipeline().tasks()) {
      JsonNode quality = report.path("quality").path(name).path(task.name());
      if (quality.path("examples").asLong() == 0) {
        continue;
      }
      text.append(line("    %-8s", task.name()));
      if (task.binary()) {
        text.append(line(" AUC %s", number(quality.path("auc"))));
        if (quality.has("bestAuc")) {
          text.append(line(" (best %s)", number(quality.path("bestAuc"))));
        }
        text.append(line("  log loss %s", number(quality.path("logLoss"))));
        if (quality.has("bestLogLoss")) {
          text.append(line(" (%s)", number(quality.path("bestLogLoss"))));
        }
        text.append(line("  NE %s", number(quality.path("normalizedEntropy"))));
      } else {
        text.append(
            line(
                " NRMSE %s  NMAE %s  Gini %s  Spearman %s",
                number(quality.path("nrmse")),
                number(quality.path("nmae")),
                number(quality.path("gini")),
                number(quality.path("spearman"))));
      }
      text.append(
          line(
              "%n             calibration %s  of %,d labels%n",
              number(quality.path("calibration")), quality.path("examples").asLong()));
      double atBaseRate = quality.path("atBaseRate").asDouble();
      if (atBaseRate > 0) {
        text.append(
            line(
                "             %,.0f of them at the base rate: predicted before anything was%n"
                    + "             known of %s%n",
                atBaseRate * quality.path("examples").asLong(), task.name()));
      }
    }
  }

  /** One line of counts that are not 0, and one for each sample in words. */
  private static void incidents(StringBuilder text, JsonNode counts, String title) {
    StringBuilder found = new StringBuilder();
    for (Map.Entry<String, JsonNode> count : counts.properties()) {
      if (count.getValue().isNumber() && count.getValue().asLong() > 0) {
        found.append(line("  %s %,d", count.getKey(), count.getValue().asLong()));
      }
    }
    if (found.isEmpty()) {
      return;
    }
    text.append(line("           %s:%s%n", title, found));
    if (counts.has("last")) {
      text.append(line("             %s%n", counts.path("last").asText()));
    }
    for (JsonNode sample : counts.path("samples")) {
      text.append(line("             the first: %s%n", sample.asText()));
    }
  }

  private static String number(JsonNode value) {
    return value.isNumber() ? line("%.4f", value.asDouble()) : "-";
  }

  private static String line(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
