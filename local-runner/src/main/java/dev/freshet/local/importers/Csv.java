package dev.freshet.local.importers;

import dev.freshet.local.replay.Lines;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Path;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/** Reads CSV files and says where a value is not what it should be. */
final class Csv {

  /** What is done with a row. */
  interface RowAction {
    void row(CSVRecord row) throws IOException;
  }

  private Csv() {}

  /** Rows of a file with a header that must hold {@code columns}. */
  static void withHeader(Path file, RowAction action, String... columns) throws IOException {
    CSVFormat format = CSVFormat.DEFAULT.builder().setHeader().setSkipHeaderRecord(true).get();
    try (Reader reader = Lines.open(file);
        CSVParser parser = format.parse(reader)) {
      for (String column : columns) {
        if (!parser.getHeaderNames().contains(column)) {
          throw new IOException(
              file + ": no column '" + column + "'; there are " + parser.getHeaderNames());
        }
      }
      each(file, parser, action);
    }
  }

  /** Rows of a file without a header, of {@code columns} columns. */
  static void withoutHeader(Path file, CSVFormat format, int columns, RowAction action)
      throws IOException {
    try (Reader reader = Lines.open(file);
        CSVParser parser = format.parse(reader)) {
      each(
          file,
          parser,
          row -> {
            if (row.size() != columns) {
              throw new IOException(row.size() + " columns; allowed: " + columns);
            }
            action.row(row);
          });
    }
  }

  private static void each(Path file, CSVParser parser, RowAction action) throws IOException {
    for (CSVRecord row : parser) {
      try {
        action.row(row);
      } catch (IOException | IllegalArgumentException e) {
        throw new IOException(file + ", row " + row.getRecordNumber() + ": " + e.getMessage(), e);
      }
    }
  }

  static double number(CSVRecord row, String column) {
    return number(row.get(column), column);
  }

  static double number(String text, String column) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(column + ": '" + text + "'; allowed: a number");
    }
  }
}
