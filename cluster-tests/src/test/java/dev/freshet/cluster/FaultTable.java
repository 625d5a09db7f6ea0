package dev.freshet.cluster;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** How long the cluster took to get over each fault. */
final class FaultTable {

  /**
   * @param recovered from the fault (of a broker, from its return) to the next completed
   *     checkpoint, or until a replica was ready with the newest version; s
   * @param noticed until the job manager knew, which is in {@code recovered}; s, NaN if it never
   *     did
   * @param running until all tasks ran again, which is in {@code recovered}; s, NaN if they did all
   *     the time
   * @param withoutVersion the longest time without a new version around it; s
   */
  record Row(Fault fault, double recovered, double noticed, double running, double withoutVersion) {

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%s: noticed after %.1f s, running after %.1f s, recovered after %.1f s;"
              + " without a new version for %.1f s",
          fault,
          noticed,
          running,
          recovered,
          withoutVersion);
    }
  }

  private final List<Row> rows = new ArrayList<>();

  void add(Row row) {
    rows.add(row);
  }

  /** Medians and the worst of each kind, as a table in Markdown. */
  String markdown() {
    Map<Fault, List<Row>> kinds = new TreeMap<>();
    rows.forEach(row -> kinds.computeIfAbsent(row.fault(), of -> new ArrayList<>()).add(row));
    StringBuilder table =
        new StringBuilder(
            """
            | fault | times | noticed | running | recovered | without a new version |
            | --- | --- | --- | --- | --- | --- |
            """);
    kinds.forEach(
        (fault, of) -> {
          Map<String, double[]> figures = new LinkedHashMap<>();
          figures.put("noticed", of.stream().mapToDouble(Row::noticed).sorted().toArray());
          figures.put("running", of.stream().mapToDouble(Row::running).sorted().toArray());
          figures.put("recovered", of.stream().mapToDouble(Row::recovered).sorted().toArray());
          figures.put("without", of.stream().mapToDouble(Row::withoutVersion).sorted().toArray());
          table.append("| ").append(fault).append(" | ").append(of.size());
          figures.values().forEach(sorted -> table.append(" | ").append(seconds(sorted)));
          table.append(" |\n");
        });
    return table.toString();
  }

  private static String seconds(double[] sorted) {
    double median = sorted[(sorted.length - 1) / 2];
    if (Double.isNaN(median)) {
      return "-";
    }
    double worst = median;
    for (double one : sorted) {
      worst = Double.isNaN(one) ? worst : Math.max(worst, one);
    }
    return String.format(Locale.ROOT, "%.1f, %.1f s", median, worst);
  }
}
