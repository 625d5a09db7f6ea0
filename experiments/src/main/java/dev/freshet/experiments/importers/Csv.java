package dev.freshet.experiments.importers;

import dev.freshet.experiments.files.Lines;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.util.Iterator;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/** Reads CSV files; a row that is not what it should be is told to {@link BadRows}. */
final class Csv {

  /** Receives a row. */
  interface RowAction {
    void row(CSVRecord row) throws IOException;
  }

  /** Receives a row with its number, from 0 on over all files. */
  interface NumberedRowAction {
    void row(long number, CSVRecord row) throws IOException;
  }

  private static final int MOST_UNREADABLE = 1000;

  private Csv() {}

  /** Rows of files, one after the other, each with a header that must hold {@code columns}. */
  static void withHeader(List<Path> files, BadRows bad, NumberedRowAction action, String... columns)
      throws IOException {
    long[] count = {0};
    for (Path file : files) {
      withHeader(file, bad, row -> action.row(count[0]++, row), columns);
    }
  }

  /** Rows of a file with a header that must hold {@code columns}. */
  static void withHeader(Path file, BadRows bad, RowAction action, String... columns)
      throws IOException {
    CSVFormat format =
        CSVFormat.DEFAULT
            .builder()
            .setHeader()
            .setSkipHeaderRecord(true)
            .setAllowMissingColumnNames(true) // as pandas writes its index
            .get();
    try (Reader reader = Lines.open(file);
        CSVParser parser = format.parse(reader)) {
      for (String column : columns) {
        if (!parser.getHeaderNames().contains(column)) {
          throw new IOException(
              file + ": no column '" + column + "'; there are " + parser.getHeaderNames());
        }
      }
      int width = parser.getHeaderNames().size();
      each(file, parser, bad, of(width, action));
    }
  }

  /** Rows of a file without a header, of {@code columns} columns. */
  static void withoutHeader(Path file, CSVFormat format, int columns, BadRows bad, RowAction action)
      throws IOException {
    try (Reader reader = Lines.open(file);
        CSVParser parser = format.parse(reader)) {
      each(file, parser, bad, of(columns, action));
    }
  }

  private static RowAction of(int columns, RowAction action) {
    return row -> {
      if (row.size() != columns) {
        throw new BadRow(BadRow.Reason.COLUMNS, row.size() + " columns; allowed: " + columns);
      }
      action.row(row);
    };
  }

  private static void each(Path file, CSVParser parser, BadRows bad, RowAction action)
      throws IOException {
    Iterator<CSVRecord> rows = parser.iterator();
    int unreadable = 0;
    while (true) {
      long line = parser.getCurrentLineNumber() + 1;
      try {
        if (!rows.hasNext()) {
          return;
        }
        action.row(rows.next());
        unreadable = 0;
      } catch (BadRow e) {
        bad.add(file, line, e.reason(), String.valueOf(e.getMessage()));
      } catch (DateTimeException e) {
        bad.add(file, line, BadRow.Reason.DATE, String.valueOf(e.getMessage()));
      } catch (UncheckedIOException e) {
        // The parser goes on behind a quote that is not closed, if there is something behind it.
        if (++unreadable > MOST_UNREADABLE) {
          throw e.getCause();
        }
        bad.add(file, line, BadRow.Reason.QUOTES, String.valueOf(e.getMessage()));
      } catch (IllegalArgumentException e) {
        bad.add(file, line, BadRow.Reason.INVALID, String.valueOf(e.getMessage()));
      }
    }
  }

  static double number(CSVRecord row, String column) {
    return number(row.get(column), column);
  }

  static double number(String text, String column) {
    double value = Double.NaN;
    try {
      value = Double.parseDouble(text);
    } catch (NumberFormatException e) {
      // Told below.
    }
    if (!Double.isFinite(value)) {
      throw new BadRow(BadRow.Reason.NUMBER, column + ": '" + text + "'; allowed: a number");
    }
    return value;
  }

  /** The text of a column that names something, so that it may not be empty. */
  static String id(CSVRecord row, String column) {
    return id(row.get(column), column);
  }

  static String id(String text, String column) {
    if (text.isBlank()) {
      throw new BadRow(BadRow.Reason.EMPTY_ID, column + ": empty; allowed: an id");
    }
    return text;
  }
}
