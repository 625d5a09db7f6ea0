package dev.freshet.benchmarks.step;

import java.util.List;
import java.util.stream.Collectors;

/** Lines of a table in Markdown. */
final class Table {

  private Table() {}

  static String head(List<String> columns) {
    String rule = columns.stream().map(c -> "---").collect(Collectors.joining(" | ", "| ", " |"));
    return line(columns) + System.lineSeparator() + rule;
  }

  static String line(List<String> cells) {
    return cells.stream().collect(Collectors.joining(" | ", "| ", " |"));
  }
}
