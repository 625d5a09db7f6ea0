package dev.freshet.experiments.files;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.jspecify.annotations.Nullable;

/**
 * Rows of a CSV file with a header, each an object of texts by the names of their columns; empty
 * ones are left out. A row of another width, or that cannot be read, is a text that says so:
 * whoever wants an object refuses it. What stands between the columns is told by the header: the
 * one of comma, semicolon, tab and bar that it has most of.
 */
final class CsvRows implements EventLines {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final char[] BETWEEN = {',', ';', '\t', '|'};
  private static final int MOST_OF_HEADER = 1 << 20;

  /** One after the other; then the rest of the file is no CSV. */
  private static final int MOST_UNREADABLE = 1000;

  /** Stands where bytes are no UTF-8. */
  private static final char NO_UTF8 = '\uFFFD';

  private static final int BUFFER = 1 << 16;

  private final int longest;
  private final boolean packed;
  private final BufferedReader reader;
  private final CSVParser parser;
  private final Iterator<CSVRecord> rows;
  private final List<String> columns;
  private int unreadable;

  CsvRows(Path file, int longest) throws IOException {
    this.longest = longest;
    Lines.Opened opened = Lines.bytes(file);
    packed = opened.packed();
    reader =
        new BufferedReader(new InputStreamReader(opened.bytes(), StandardCharsets.UTF_8), BUFFER);
    try {
      CSVFormat format =
          CSVFormat.DEFAULT.builder().setDelimiter(between()).setLenientEof(true).get();
      parser = format.parse(reader);
      rows = parser.iterator();
      columns = rows.hasNext() ? Arrays.asList(rows.next().values()) : List.of();
      for (int i = 0; i < columns.size(); i++) {
        String name = columns.get(i);
        if (columns.indexOf(name) != i) {
          throw new IOException("two of its columns are named '" + name + "'");
        }
      }
    } catch (UncheckedIOException e) {
      reader.close();
      throw requireNonNull(e.getCause());
    } catch (IOException e) {
      reader.close();
      throw e;
    }
  }

  private char between() throws IOException {
    reader.mark(MOST_OF_HEADER);
    String header = reader.readLine();
    reader.reset();
    char most = BETWEEN[0];
    if (header != null) {
      for (char one : BETWEEN) {
        if (count(header, one) > count(header, most)) {
          most = one;
        }
      }
    }
    return most;
  }

  private static long count(String text, char of) {
    return text.chars().filter(c -> c == of).count();
  }

  @Override
  public @Nullable EventLine next() throws IOException {
    long number = parser.getCurrentLineNumber() + 1;
    try {
      if (!rows.hasNext()) {
        return null;
      }
      JsonNode row = row(rows.next());
      unreadable = 0;
      return EventLine.of(JSON.writeValueAsBytes(row), number, longest);
    } catch (UncheckedIOException e) {
      if (++unreadable > MOST_UNREADABLE) {
        throw requireNonNull(e.getCause());
      }
      // The parser goes on behind a quote that is not closed, if there is something behind it.
      JsonNode row = new TextNode("a row that is no CSV: " + e.getMessage());
      return EventLine.of(JSON.writeValueAsBytes(row), number, longest);
    }
  }

  private JsonNode row(CSVRecord row) {
    if (row.size() != columns.size()) {
      return new TextNode(
          "a row of %d columns, where the header has %d: %s"
              .formatted(row.size(), columns.size(), row.toList()));
    }
    if (row.stream().anyMatch(value -> value.indexOf(NO_UTF8) >= 0)) {
      return new TextNode("a row with bytes that are not UTF-8: " + row.toList());
    }
    ObjectNode object = JSON.createObjectNode();
    for (int i = 0; i < columns.size(); i++) {
      if (!row.get(i).isEmpty()) {
        object.put(columns.get(i), row.get(i));
      }
    }
    return object;
  }

  @Override
  public void readToEnd() throws IOException {
    if (packed) {
      reader.transferTo(Writer.nullWriter());
    }
  }

  @Override
  public void close() throws IOException {
    parser.close();
    reader.close();
  }
}
