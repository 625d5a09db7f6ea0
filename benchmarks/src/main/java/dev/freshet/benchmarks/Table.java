package dev.freshet.benchmarks;

import java.util.List;
import java.util.stream.Collectors;

/** Lines of a table in Markdown. */
public final class Table {

  private Table() {}

  public static String head(List<String> columns) {
    String rule = columns.stream().map(c -> "---").collect(Collectors.joining(" | ", "| ", " |"));
    return line(columns) + System.lineSeparator() + rule;
  }

  public static String line(List<String> cells) {
    return cells.stream().collect(Collectors.joining(" | ", "| ", " |"));
  }
}
