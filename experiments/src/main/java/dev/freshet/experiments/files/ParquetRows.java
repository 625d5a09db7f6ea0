package dev.freshet.experiments.files;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * Rows of a Parquet file in their order, as DuckDB makes JSON of them: null is null, structs are
 * objects, lists are lists, decimals are numbers, and a column of timestamps is one of epoch
 * milliseconds, or without a zone of texts without one. Numbers that are not finite are null, which
 * JSON has instead.
 */
final class ParquetRows implements EventLines {

  private static final String MEMORY = "1GB";

  private final int longest;
  private final Connection duck;
  private final Statement statement;
  private final ResultSet rows;
  private long number;

  ParquetRows(Path file, int longest) throws IOException {
    this.longest = longest;
    Properties settings = new Properties();
    settings.setProperty("jdbc_stream_results", "true");
    settings.setProperty("threads", "1");
    settings.setProperty("memory_limit", MEMORY);
    Connection opened = null;
    try {
      opened = DriverManager.getConnection("jdbc:duckdb:", settings);
      statement = opened.createStatement();
      String table = "read_parquet('" + file.toString().replace("'", "''") + "')";
      rows =
          statement.executeQuery(
              "SELECT CAST(to_json(t) AS VARCHAR) FROM (SELECT *"
                  + replaced(table)
                  + " FROM "
                  + table
                  + ") t");
    } catch (SQLException e) {
      close(opened, e);
      throw new IOException(plain(e), e);
    }
    duck = opened;
  }

  private static void close(@Nullable Connection opened, SQLException with) {
    try {
      if (opened != null) {
        opened.close();
      }
    } catch (SQLException e) {
      with.addSuppressed(e);
    }
  }

  /** What is read of columns that JSON has nothing for. */
  private String replaced(String table) throws SQLException {
    List<String> replaced = new ArrayList<>();
    try (ResultSet columns = statement.executeQuery("DESCRIBE SELECT * FROM " + table)) {
      while (columns.next()) {
        String name = '"' + columns.getString(1).replace("\"", "\"\"") + '"';
        String type = columns.getString(2);
        if (type.equals("TIMESTAMP WITH TIME ZONE")) {
          replaced.add("epoch_ms(" + name + ") AS " + name);
        } else if (type.equals("DOUBLE") || type.equals("FLOAT")) {
          replaced.add("CASE WHEN isfinite(" + name + ") THEN " + name + " END AS " + name);
        }
      }
    }
    return replaced.isEmpty() ? "" : " REPLACE (" + String.join(", ", replaced) + ")";
  }

  private static String plain(SQLException e) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    return "it is no whole Parquet file: " + message.lines().findFirst().orElse(message);
  }

  @Override
  public @Nullable EventLine next() throws IOException {
    try {
      return rows.next()
          ? EventLine.of(rows.getString(1).getBytes(StandardCharsets.UTF_8), ++number, longest)
          : null;
    } catch (SQLException e) {
      throw new IOException(plain(e), e);
    }
  }

  /** Nothing: a file that is not whole has no footer, and is not opened. */
  @Override
  public void readToEnd() {}

  @Override
  public void close() throws IOException {
    try {
      rows.close();
      statement.close();
      duck.close();
    } catch (SQLException e) {
      throw new IOException(plain(e), e);
    }
  }
}
