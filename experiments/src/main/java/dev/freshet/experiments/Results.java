package dev.freshet.experiments;

import static java.util.Objects.requireNonNull;

import dev.freshet.experiments.simulator.Simulator;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/** Results of an experiment: tables, a CSV file, charts. */
public final class Results {

  private final ExperimentFile file;
  private final List<Outcome> outcomes;

  Results(ExperimentFile file, List<Outcome> outcomes) {
    this.file = file;
    this.outcomes = List.copyOf(outcomes);
  }

  /**
   * Mean and its standard error; the latter is NaN for a single value.
   *
   * @param count of values
   */
  record Estimate(double mean, double error, int count) {

    static Estimate of(List<Double> values) {
      double mean = values.stream().mapToDouble(v -> v).average().orElse(Double.NaN);
      double squares = values.stream().mapToDouble(v -> (v - mean) * (v - mean)).sum();
      int n = values.size();
      return new Estimate(mean, n < 2 ? Double.NaN : Math.sqrt(squares / (n - 1) / n), n);
    }

    String text(boolean signed) {
      if (count == 0) {
        return "-";
      }
      String value = (signed ? "%+.4f" : "%.4f").formatted(mean);
      return Double.isNaN(error) ? value : value + " ± " + "%.4f".formatted(error);
    }

    /** True if it is further from 0 than two standard errors. */
    boolean clear() {
      return Math.abs(mean) > 2 * error;
    }
  }

  List<String> models() {
    Set<String> models = new LinkedHashSet<>();
    outcomes.forEach(o -> models.add(o.model()));
    // The ceiling comes last.
    if (models.remove(Simulator.TRUTH)) {
      models.add(Simulator.TRUTH);
    }
    return List.copyOf(models);
  }

  List<String> metrics() {
    return file.experiment().metrics();
  }

  Estimate estimate(String model, String metric) {
    return Estimate.of(List.copyOf(values(model, metric).values()));
  }

  private Map<Long, Double> values(String model, String metric) {
    Map<Long, Double> values = new TreeMap<>();
    for (Outcome outcome : outcomes) {
      Double value = outcome.metrics().get(metric);
      if (outcome.model().equals(model) && value != null) {
        values.put(outcome.seed(), value);
      }
    }
    return values;
  }

  /** Seed by seed, this model less the baseline. */
  Estimate difference(String model, String metric) {
    Map<Long, Double> base = values(file.baseline(), metric);
    List<Double> differences = new ArrayList<>();
    values(model, metric)
        .forEach(
            (seed, value) -> {
              if (base.containsKey(seed)) {
                differences.add(value - base.get(seed));
              }
            });
    return Estimate.of(differences);
  }

  /** Seed by seed, where this row stands between a floor, 0, and the ceiling, 1. */
  Estimate relative(String model, String floor, String metric) {
    Map<Long, Double> floors = values(floor, metric);
    Map<Long, Double> ceilings =
        values(requireNonNull(file.experiment().relative().ceiling()), metric);
    List<Double> shares = new ArrayList<>();
    values(model, metric)
        .forEach(
            (seed, value) -> {
              if (floors.containsKey(seed) && ceilings.containsKey(seed)) {
                double gap = ceilings.get(seed) - floors.get(seed);
                shares.add((value - floors.get(seed)) / gap);
              }
            });
    return Estimate.of(shares);
  }

  /** True if a model was learnt to the end, so that there is something to read in the tables. */
  public boolean learnt() {
    return outcomes.stream()
        .anyMatch(o -> o.diverged() == null && !o.model().equals(Simulator.TRUTH));
  }

  /** Rows that diverged, a sentence for each. */
  private List<String> diverged() {
    List<String> all = new ArrayList<>();
    for (String model : models()) {
      List<Outcome> of = outcomes.stream().filter(o -> o.model().equals(model)).toList();
      List<Outcome> gone = of.stream().filter(o -> o.diverged() != null).toList();
      if (!gone.isEmpty()) {
        Outcome first = gone.get(0);
        all.add(
            "%s: %d of %d diverged and %s in none of the figures; seed %d %s"
                .formatted(
                    model,
                    gone.size(),
                    of.size(),
                    gone.size() == 1 ? "is" : "are",
                    first.seed(),
                    first.diverged()));
      }
    }
    return all;
  }

  /** All tables, in Markdown. */
  public String tables() {
    StringBuilder text = new StringBuilder();
    int seeds = file.experiment().seeds().size();
    text.append("Mean ± standard error over ").append(seeds).append(" seeds\n\n");
    diverged().forEach(line -> text.append("- ").append(line).append('\n'));
    if (!diverged().isEmpty()) {
      text.append('\n');
    }
    table(text, models(), metrics(), (model, metric) -> estimate(model, metric).text(false));
    text.append("\nDifference from ").append(file.baseline());
    text.append(", paired by seed; * is further from 0 than two standard errors\n\n");
    List<String> others =
        models().stream()
            .filter(m -> !m.equals(file.baseline()) && !m.equals(Simulator.TRUTH))
            .toList();
    table(
        text,
        others,
        metrics(),
        (model, metric) -> {
          Estimate difference = difference(model, metric);
          return difference.text(true) + (difference.clear() ? " *" : "");
        });
    for (String floor : file.experiment().relative().floors()) {
      text.append("\nShare of the way from ").append(floor).append(" to ");
      text.append(file.experiment().relative().ceiling()).append("\n\n");
      List<String> placed = file.experiment().relative().metrics();
      table(
          text,
          models().stream().filter(m -> !m.equals(Simulator.TRUTH)).toList(),
          placed.isEmpty() ? metrics() : placed,
          (model, metric) -> relative(model, floor, metric).text(false));
    }
    return text.toString();
  }

  private interface Cell {
    String of(String model, String metric);
  }

  private static void table(
      StringBuilder text, List<String> rows, List<String> columns, Cell cell) {
    List<List<String>> lines = new ArrayList<>();
    List<String> head = new ArrayList<>(List.of("model"));
    head.addAll(columns);
    lines.add(head);
    for (String model : rows) {
      List<String> line = new ArrayList<>(List.of(model));
      columns.forEach(metric -> line.add(cell.of(model, metric)));
      lines.add(line);
    }
    int[] widths = new int[head.size()];
    for (List<String> line : lines) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], line.get(i).length());
      }
    }
    for (int row = 0; row < lines.size(); row++) {
      for (int i = 0; i < widths.length; i++) {
        text.append("| ").append(("%-" + widths[i] + "s").formatted(lines.get(row).get(i)));
        text.append(' ');
      }
      text.append("|\n");
      if (row == 0) {
        for (int width : widths) {
          text.append("| ").append("-".repeat(Math.max(3, width))).append(' ');
        }
        text.append("|\n");
      }
    }
  }

  /** Writes {@code results.csv}, {@code tables.md} and {@code charts.png}. */
  public void write(Path folder) throws IOException {
    Files.createDirectories(folder);
    try (Writer writer = Files.newBufferedWriter(folder.resolve("results.csv"));
        CSVPrinter csv = new CSVPrinter(writer, CSVFormat.DEFAULT)) {
      csv.printRecord("experiment", "model", "seed", "metric", "value");
      for (Outcome outcome : outcomes) {
        if (outcome.diverged() != null) {
          csv.printRecord(
              file.experiment().experiment(), outcome.model(), outcome.seed(), "diverged", 1);
        }
        for (Map.Entry<String, Double> metric : outcome.metrics().entrySet()) {
          csv.printRecord(
              file.experiment().experiment(),
              outcome.model(),
              outcome.seed(),
              metric.getKey(),
              metric.getValue());
        }
      }
    }
    Files.writeString(folder.resolve("tables.md"), tables());
    Charts.write(this, folder.resolve("charts.png"));
  }
}
